package main

import (
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestTooManyRunsAreRemovedInParts: the first hundred thousand, and a word that
// there are more.
func TestTooManyRunsAreRemovedInParts(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	flood := &storetest.Flood{Names: []string{"x"}, Runs: 1_000_000, Objects: 1}
	server := flood.Serve(t)
	store := tooltest.Server(server, server.Endpoint)
	r := store.RunBounded(t, nil, "s3rm", "-p", "bkt:x")
	if r.Code != 1 || strings.Count(r.Out, "\n") != 100_000 || !strings.Contains(r.Err, "hint: run it again for the others") {
		t.Errorf("exit status %d, %d lines\n%.1000s", r.Code, strings.Count(r.Out, "\n"), r.Err)
	}
	r = store.RunBounded(t, nil, "s3rm", "-p", "--superseded", "bkt:x")
	if r.Code != 1 || r.Out != "" || !strings.Contains(r.Err, "more than 100000 runs") {
		t.Errorf("--superseded: exit status %d\n%.300s%.1000s", r.Code, r.Out, r.Err)
	}
	// One that is named is found without the others.
	before := flood.Requests.Load()
	store.Must(t, nil, "s3rm", "-y", "bkt:x:"+flood.Run(999_999))
	if n := flood.Requests.Load() - before; n > 10 {
		t.Errorf("%d requests to remove one run", n)
	}
}

// TestRunOfManyLongKeysIsRemoved without holding them all.
func TestRunOfManyLongKeysIsRemoved(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	name := strings.Repeat("n", 900)
	flood := &storetest.Flood{Names: []string{name}, Runs: 1, Objects: 200_000}
	server := flood.Serve(t)
	r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "s3rm", "-y", "bkt:"+name)
	if n := flood.Deleted.Load(); r.Code != 0 || n != 200_002 { // the manifest twice
		t.Errorf("exit status %d, %d objects deleted\n%s", r.Code, n, r.Err)
	}
}
