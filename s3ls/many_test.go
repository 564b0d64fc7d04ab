package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// fill puts archives into a server's directory, behind its back: many names
// with the given number of chunks each.
func fill(t *testing.T, server *storetest.Server, bucket, prefix string, names, chunks int) {
	t.Helper()
	at := time.Now().UTC().Truncate(time.Second)
	for i := range names {
		name := fmt.Sprintf("%s%02d/%02d", prefix, i/100, i%100)
		run, _ := archive.NewRun(at, "")
		base := filepath.Join(server.DataDir, bucket, filepath.FromSlash(name)+":"+string(run)+":")
		if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
			t.Fatal(err)
		}
		manifest, err := json.Marshal(archive.Manifest{
			Format: "napback-archive/1", Name: name, Run: run, Host: "h", Created: at, Committed: at,
			Tool: "t", Bytes: int64(chunks), ChunkBytes: 1, Chunks: int64(chunks), Sums: strings.Repeat("0", 64),
		})
		if err != nil {
			t.Fatal(err)
		}
		for n := range chunks {
			write(t, fmt.Sprintf("%s%013d", base, n), []byte("x"))
		}
		write(t, base+"manifest", manifest)
	}
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestListingCostsRequestsPerArchive: two for each, and a page of a thousand
// names; however many chunks there are.
func TestListingCostsRequestsPerArchive(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	for _, c := range []struct {
		bucket        string
		names, chunks int
	}{
		{"one", 1, 1},
		{"long", 1, 5000},
		{"many", 10_000, 1},
	} {
		store.Must(t, nil, "s3put", "--create-bucket", c.bucket+":zz") // the only way to make one
		store.Must(t, nil, "s3rm", "-y", c.bucket+":zz")
		fill(t, server, c.bucket, "host/", c.names, c.chunks)
		proxy.Reset()
		began := time.Now()
		out := store.Must(t, nil, "s3ls", c.bucket)
		t.Logf("%d archives of %d chunks: %d requests in %v", c.names, c.chunks, proxy.Count(""), time.Since(began))
		if n := strings.Count(out, " committed   host/"); n != c.names {
			t.Errorf("%d of %d archives are listed", n, c.names)
		}
		if limit := 2*c.names + c.names/1000 + 2; proxy.Count("") > limit {
			t.Errorf("%d requests for %d archives of %d chunks, more than %d", proxy.Count(""), c.names, c.chunks, limit)
		}
	}
}

// TestListingRunsOfANameCostsRequestsPerRun: one for each, and two for the name;
// --whole costs one more, and one for each page of chunks.
func TestListingRunsOfANameCostsRequestsPerRun(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:zz")
	const runs = 20
	var last string
	for range runs {
		last = strings.TrimSpace(store.Must(t, strings.NewReader(strings.Repeat("x", 30)), "s3put", "--keep", "-z", "10", "bkt:x"))
	}
	proxy.Reset()
	if n := strings.Count(store.Must(t, nil, "s3ls", "--clock", "-r", "bkt:x"), "\n"); n != runs+1 {
		t.Errorf("%d lines", n)
	}
	if limit := runs + 3; proxy.Count("") > limit {
		t.Errorf("%d requests for %d runs, more than %d", proxy.Count(""), runs, limit)
	}
	proxy.Reset()
	store.Must(t, nil, "s3ls", "--whole", last)
	if proxy.Count("") > 2 {
		t.Errorf("%d requests to count a run", proxy.Count(""))
	}
}

// TestDeniedManifestIsJudgedByItsObjects: credentials that may only list tell
// what is whole by its shape.
func TestDeniedManifestIsJudgedByItsObjects(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	put := func(name, text string) string {
		return strings.TrimSpace(store.Must(t, strings.NewReader(text), "s3put", "--create-bucket", "-z", "10", "bkt:"+name))
	}
	whole, empty, cut := put("whole", strings.Repeat("x", 35)), put("empty", ""), put("cut", strings.Repeat("x", 35))
	path := filepath.Join(server.DataDir, strings.Replace(cut, ":", "/", 1)+":")
	proxy.Inject(storetest.Fault{Status: 403, Code: "AccessDenied", Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "manifest") }})
	r := store.Run(t, nil, "s3ls", "--json", "--whole", whole, empty, cut)
	if r.Code != 0 || strings.Count(r.Out, `"denied":true,`) != 3 || strings.Count(r.Out, `"whole":true}`) != 3 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Out, r.Err)
	}
	if r := store.Run(t, nil, "s3ls", "--json", "bkt:whole"); !strings.Contains(r.Out, `"denied":true`) || !strings.Contains(r.Out, `"modified":"`) || !strings.Contains(r.Out, `"state":"unreadable"`) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Out, r.Err)
	}
	for _, end := range []string{"0000000000001", "0000000000003", "SHA256SUMS"} {
		text, err := os.ReadFile(path + end)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path + end); err != nil {
			t.Fatal(err)
		}
		if r := store.Run(t, nil, "s3ls", "--whole", cut, whole); r.Code != 5 || strings.Count(r.Out, "\n") != 2 {
			t.Errorf("without %s: exit status %d\n%s%s", end, r.Code, r.Out, r.Err)
		}
		write(t, path+end, text)
	}
}

// TestListingRunsInParallel: an answer that does not come does not hold up
// the next requests.
func TestListingRunsInParallel(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:zz")
	fill(t, server, "bkt", "a", 20, 1)
	proxy.Reset()
	proxy.Inject(storetest.Fault{Stall: true, Times: 1, Match: func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "manifest") }})
	p := store.Start(t, nil, "s3ls", "-c", "4", "bkt")
	tooltest.Until(t, "other manifests", func() bool {
		n := 0
		for _, r := range proxy.Requests() {
			if strings.HasSuffix(r.Path, "manifest") {
				n++
			}
		}
		return n >= 4
	})
	p.Signal(os.Interrupt)
	if r := p.Wait(); r.Code != 130 || r.Err != "s3ls: error: interrupted by SIGINT\n" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}
