package store

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"napback/internal/storetest"
)

// TestGetResumes: a download that breaks goes on where it was, more often
// than there are tries as long as bytes arrive.
func TestGetResumes(t *testing.T) {
	f := newFaulty(t, func(cfg *Config, _ *tuning) { cfg.Attempts = 2 })
	data := storetest.Noise(1 << 20)
	storetest.Put(t, f.bucket, "k", data)
	f.proxy.Reset()
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("GET"), Times: 6, CutBody: 100_000})
	if got := storetest.Get(t, f.bucket, "k"); !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
	f.wantRequests(t, "GET", 7)
	for i, r := range f.proxy.Requests() {
		if i > 0 && (r.Header.Get("Range") == "" || r.Header.Get("If-Match") == "") {
			t.Errorf("request %d has the headers Range %q and If-Match %q", i, r.Header.Get("Range"), r.Header.Get("If-Match"))
		}
	}
}

// TestGetGivesUp: when no byte arrives any more the reader says so, and what
// it returned is not the whole object.
func TestGetGivesUp(t *testing.T) {
	f := newFaulty(t, func(cfg *Config, _ *tuning) { cfg.Attempts = 2 })
	storetest.Put(t, f.bucket, "k", storetest.Noise(1<<20))
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("GET"), Times: 1, CutBody: 100_000})
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("GET"), Status: 503, Code: "SlowDown"})
	body, _, err := f.bucket.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	n, err := io.Copy(io.Discard, body)
	if err == nil || n >= 1<<20 || !strings.Contains(err.Error(), "SlowDown") {
		t.Errorf("%d bytes and error %v", n, err)
	}
}

// TestGetReplaced: bytes of two versions of an object are never mixed.
func TestGetReplaced(t *testing.T) {
	f := newFaulty(t, nil)
	storetest.Put(t, f.bucket, "k", bytes.Repeat([]byte("a"), 1<<20))
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("GET"), Times: 1, CutBody: 100_000})
	body, _, err := f.bucket.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if err := f.bucket.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	storetest.Put(t, f.bucket, "k", bytes.Repeat([]byte("b"), 1<<20))
	got, err := io.ReadAll(body)
	if err == nil || bytes.Contains(got, []byte("b")) || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("%d bytes and error %v", len(got), err)
	}
}
