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
	if r := p.Wait(); r.Code != 130 || r.Err != "s3ls: error: interrupted by interrupt\n" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}
