package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// fat returns manifests of 64 KiB that take ten times as much once they are read.
func fat() func(name, run string) []byte {
	meta := map[string]string{}
	for i := range 5300 {
		meta[fmt.Sprintf("%x", i)] = ""
	}
	text, _ := json.Marshal(meta)
	return func(name, run string) []byte {
		return fmt.Appendf(nil, `{"format":"napback-archive/1","name":%q,"run":%q,"chunk_bytes":1,"sums":"%064d","meta":%s}`, name, run, 0, text)
	}
}

// bad returns a manifest of 64 KiB whose error would quote it all.
func bad(string, string) []byte {
	return fmt.Appendf(nil, `{"format":%q}`, strings.Repeat("x", 60_000))
}

// TestManyFatManifests are printed one by one, never held together: those of
// many names, and those of one that has more runs than are held.
func TestManyFatManifests(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("n%02d", i))
	}
	for name, flood := range map[string]*storetest.Flood{
		"many names":          {Names: names, Runs: 50, Manifest: fat()},
		"one name":            {Names: names[:1], Runs: 1010, Manifest: fat()},
		"errors, many names":  {Names: names, Runs: 50, Manifest: bad},
		"errors, of one name": {Names: names[:1], Runs: 1010, Manifest: bad},
	} {
		t.Run(name, func(t *testing.T) {
			server := flood.Serve(t)
			r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "sh", "-c", tooltest.Plain(t, "s3ls")+" -r --json bkt | wc -l")
			if want := fmt.Sprint(len(flood.Names) * flood.Runs); strings.TrimSpace(r.Out) != want || r.Err != "" {
				t.Errorf("%.300s lines; %.300s", r.Out, r.Err)
			}
		})
	}
}

// TestTooManyRunsDoNotHideOtherArchives: a million runs under one name are not
// listed, the others are, and the exit status tells.
func TestTooManyRunsDoNotHideOtherArchives(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	flood := &storetest.Flood{Names: []string{"x"}, Runs: 1_000_000}
	server := flood.Serve(t)
	store := tooltest.Server(server, server.Endpoint)
	for _, args := range [][]string{{"bkt"}, {"-r", "--json", "bkt"}} {
		r := store.RunBounded(t, nil, "s3ls", args...)
		if r.Code != 5 || r.Out != "" || !strings.Contains(r.Err, `archive "x": more than 100000 runs under one name`) {
			t.Errorf("%q: exit status %d\n%.300s%.1000s", args, r.Code, r.Out, r.Err)
		}
	}
	good := &storetest.Flood{Names: []string{"w", "x", "y"}, Runs: 1_000_000}
	server = good.Serve(t)
	store = tooltest.Server(server, server.Endpoint)
	r := store.RunBounded(t, nil, "s3ls", "bkt")
	if r.Code != 5 || strings.Count(r.Err, "not shown") != 3 {
		t.Errorf("exit status %d\n%.300s%.1000s", r.Code, r.Out, r.Err)
	}
}
