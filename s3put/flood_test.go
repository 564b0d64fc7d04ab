package main

import (
	"io"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestTooManyRunsDoNotStopABackup: somebody has planted a million. The archive is
// stored, nothing else is touched.
func TestTooManyRunsDoNotStopABackup(t *testing.T) {
	flood := &storetest.Flood{Names: []string{"x"}, Runs: 1_000_000}
	server := flood.Serve(t)
	store := tooltest.Server(server, server.Endpoint)
	r := store.RunBounded(t, strings.NewReader("data"), "s3put", "bkt:x")
	if r.Code != 0 || !strings.Contains(r.Err, "the run is named by the clock alone, and older ones stay") || flood.Deleted.Load() > 0 {
		t.Fatalf("exit status %d, %d deleted\n%.1000s", r.Code, flood.Deleted.Load(), r.Err)
	}
	address := strings.TrimSpace(r.Out)
	if out := store.Must(t, nil, "s3get", address); out != "data" {
		t.Errorf("%s holds %q", address, out)
	}
	r = store.RunBounded(t, nil, "s3get", "bkt:x")
	if r.Code != 1 || !strings.Contains(r.Err, "more than 100000 runs") || !strings.Contains(r.Err, "hint: ") {
		t.Errorf("s3get of the name: exit status %d\n%.1000s", r.Code, r.Err)
	}
}

// TestSumsOfManyChunksAreInTheBudget: a tebibyte in chunks of 1 MB works with the
// default memory; that many chunks, here small, take what was asked for.
func TestSumsOfManyChunksAreInTheBudget(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "b:other")
	r := store.RunBounded(t, zeros(1_100_000*50), "s3put", "-p", "-z", "50", "b:x")
	if r.Code != 0 || !strings.Contains(r.Err, "in 1100000 chunks") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	// 1 MiB is 32,768 sums beside the 262,144 that are free, less the buffer.
	r = store.RunBounded(t, zeros(300_000*50), "s3put", "-p", "-z", "50", "--memory", "1MiB", "b:x")
	if r.Code != 2 || !strings.Contains(r.Err, "the sums of more than 294910 chunks do not fit into 1.0 MB of memory") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}

func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
