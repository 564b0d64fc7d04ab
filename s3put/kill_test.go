package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// at returns a fault that never lets the first request through whose method
// and end of path are these, and a channel that is closed when it comes.
func at(method, end string) (storetest.Fault, <-chan struct{}) {
	come := make(chan struct{})
	return storetest.Fault{Stall: true, Times: 1, Match: func(r *http.Request) bool {
		if r.Method != method || !strings.HasSuffix(r.URL.Path, end) {
			return false
		}
		close(come)
		return true
	}}, come
}

// proxied returns a server's store behind a proxy, with the bucket bkt.
func proxied(t *testing.T) (tooltest.Store, *storetest.Proxy, *storetest.Server) {
	t.Helper()
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:first")
	store.Must(t, nil, "s3rm", "-y", "bkt:first")
	proxy.Reset()
	return store, proxy, server
}

// runs returns how many runs of b:x there are in each state.
func runs(t *testing.T, store tooltest.Store) string {
	t.Helper()
	text := store.Must(t, nil, "s3ls", "-r", "bkt:x")
	return fmt.Sprintf("%d committed, %d superseded, %d incomplete",
		strings.Count(text, " committed "), strings.Count(text, " superseded "), strings.Count(text, " incomplete "))
}

func TestKilledPutLeavesThePreviousArchive(t *testing.T) {
	store, proxy, _ := proxied(t)
	good, next := tooltest.Random(1, 5000), tooltest.Random(2, 5000)
	store.Put(t, "bkt:x", good, 1000)
	for i, end := range []string{"0000", "0003", "SHA256SUMS", "manifest"} {
		t.Run(end, func(t *testing.T) {
			fault, come := at(http.MethodPut, end)
			proxy.Inject(fault)
			p := store.Start(t, strings.NewReader(string(next)), "s3put", "-c", "1", "-z", "1000", "bkt:x")
			<-come
			p.Signal(syscall.SIGKILL)
			if r := p.Wait(); r.Out != "" || r.Code != 137 {
				t.Errorf("stdout %q, exit status %d", r.Out, r.Code)
			}
			store.Reads(t, "bkt:x", good)
			incomplete := i
			if got, want := runs(t, store), fmt.Sprintf("1 committed, 0 superseded, %d incomplete", incomplete); got != want {
				t.Errorf("there are %s; want %s", got, want)
			}
		})
	}
	store.Put(t, "bkt:x", next, 1000)
	store.Reads(t, "bkt:x", next)
	if got, want := runs(t, store), "1 committed, 0 superseded, 3 incomplete"; got != want {
		t.Errorf("there are %s; want %s: the incomplete ones may be uploads that wait", got, want)
	}
}

func TestKilledWhileSupersedingTheArchiveReads(t *testing.T) {
	store, proxy, _ := proxied(t)
	next := tooltest.Random(2, 5000)
	for _, end := range []string{"manifest", "bkt"} { // the manifest alone, then the rest in one request
		store.Must(t, nil, "s3rm", "-y", "--incomplete", "--older-than", "0s", "bkt")
		store.Put(t, "bkt:x", tooltest.Random(1, 5000), 1000)
		method := http.MethodDelete
		if end == "bkt" {
			method = http.MethodPost
		}
		fault, come := at(method, end)
		proxy.Inject(fault)
		p := store.Start(t, strings.NewReader(string(next)), "s3put", "-z", "1000", "bkt:x")
		<-come
		p.Signal(syscall.SIGKILL)
		p.Wait()
		store.Reads(t, "bkt:x", next)
		store.Put(t, "bkt:x", next, 1000)
		store.Reads(t, "bkt:x", next)
	}
}

func TestStaleRunOfAKilledPutIsRemoved(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:other")
	in, out := pipe(t)
	p := store.Start(t, in, "s3put", "-z", "10", "bkt:x")
	in.Close()
	io.WriteString(out, "0123456789abcdefghij")
	tooltest.Until(t, "two chunks", func() bool { return count(store, t, "x:", ":000000000000") == 2 })
	p.Signal(syscall.SIGKILL)
	p.Wait()
	dead := store.Keys(t, "bkt") // and the manifest of another name
	age := func(hours time.Duration) {
		for _, key := range dead {
			if strings.HasPrefix(key, "x:") {
				when := time.Now().Add(-hours * time.Hour)
				if err := os.Chtimes(filepath.Join(store.Dir, "bkt", key), when, when); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	age(47)
	store.Put(t, "bkt:x", []byte("new"), 10)
	if got := runs(t, store); got != "1 committed, 0 superseded, 1 incomplete" {
		t.Errorf("after 47 hours there are %s", got)
	}
	age(49)
	store.Put(t, "bkt:x", []byte("newer"), 10)
	if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
		t.Errorf("after 49 hours there are %s", got)
	}
	if n := count(store, t, "x:", ""); n != 3 {
		t.Errorf("%d objects are left, not a chunk, its sum and the manifest", n)
	}
	store.Reads(t, "bkt:x", []byte("newer"))
}

func TestPutThatCannotTellWhetherItCommittedSaysSo(t *testing.T) {
	store, proxy, _ := proxied(t)
	fault, come := at(http.MethodPut, "manifest")
	proxy.Inject(fault)
	p := store.Start(t, strings.NewReader("text"), "s3put", "bkt:x")
	<-come
	p.Signal(syscall.SIGTERM)
	r := p.Wait()
	if r.Code != 143 || !strings.Contains(r.Err, "it is not known whether it was stored") || !strings.Contains(r.Err, "s3ls -r") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	// Its chunks stay: had the manifest arrived, the archive would be whole.
	if got := runs(t, store); got != "0 committed, 0 superseded, 1 incomplete" {
		t.Errorf("there are %s", got)
	}
}

// count returns how many keys of bucket bkt begin and go on like this.
func count(store tooltest.Store, t *testing.T, begin, middle string) int {
	n := 0
	for _, key := range store.Keys(t, "bkt") {
		if strings.HasPrefix(key, begin) && strings.Contains(key, middle) {
			n++
		}
	}
	return n
}
