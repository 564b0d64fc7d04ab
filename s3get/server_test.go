package main

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

func isChunk(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.URL.Path, ":00000000000")
}

// stored returns a server behind a proxy with the archive bkt:x of 50 chunks.
func stored(t *testing.T) (tooltest.Store, *storetest.Proxy, *storetest.Server, []byte) {
	t.Helper()
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	data := tooltest.Random(1, 50*100_000)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:other")
	store.Put(t, "bkt:x", data, 100_000)
	proxy.Reset()
	return store, proxy, server, data
}

// reader starts s3get with a pipe as its stdout and returns the pipe's end.
func reader(t *testing.T, store tooltest.Store, args ...string) (*tooltest.Process, *os.File) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	p := store.StartWith(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, "s3get", args...)
	out.Close()
	return p, in
}

// TestReaderThatHasEnoughEndsTheDownload: quietly, and no chunk is fetched
// that nobody reads.
func TestReaderThatHasEnoughEndsTheDownload(t *testing.T) {
	store, proxy, _, data := stored(t)
	p, in := reader(t, store, "-c", "2", "bkt:x")
	first := make([]byte, 10)
	if _, err := io.ReadFull(in, first); err != nil || string(first) != string(data[:10]) {
		t.Fatalf("it begins with %q, %v", first, err)
	}
	in.Close()
	if r := p.Wait(); r.Code != 0 || r.Err != "" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	chunks := 0
	for _, r := range proxy.Requests() {
		if strings.Contains(r.Path, ":00000000000") {
			chunks++
		}
	}
	if chunks > 10 {
		t.Errorf("%d of 50 chunks were fetched for 10 bytes", chunks)
	}
	if out := store.Must(t, nil, "sh", "-c", "s3get bkt:x | head -c 3 | wc -c"); strings.TrimSpace(out) != "3" {
		t.Errorf("head gets %q", out)
	}
}

// TestBrokenConnectionIsNotAReaderThatHasEnough: both can be a broken pipe,
// but only one is a success.
func TestBrokenConnectionIsNotAReaderThatHasEnough(t *testing.T) {
	store, proxy, _, data := stored(t)
	proxy.Inject(storetest.Fault{CutBody: 50_000, Match: isChunk})
	r := store.Run(t, nil, "s3get", "--attempts", "2", "bkt:x")
	if r.Code != 0 || r.Out != string(data) {
		t.Errorf("connections that break half-way: exit status %d and %d bytes of %d\n%s", r.Code, len(r.Out), len(data), r.Err)
	}
	proxy.Reset()
	proxy.Inject(storetest.Fault{CutBody: 0, Match: isChunk})
	r = store.Run(t, nil, "s3get", "--attempts", "1", "bkt:x")
	if r.Code != 1 || r.Out != "" || !strings.HasPrefix(r.Err, `s3get: error: get object "x:`) || strings.Count(r.Err, "error:") != 1 {
		t.Errorf("exit status %d, %d bytes\n%s", r.Code, len(r.Out), r.Err)
	}
}

// TestServerThatDiesIsWaitedFor: with -n the stream goes on where it was.
func TestServerThatDiesIsWaitedFor(t *testing.T) {
	store, _, server, data := stored(t)
	p, in := reader(t, store, "-n", "--attempts", "1", "--retry-wait", "200ms", "-c", "2", "bkt:x")
	half := make([]byte, len(data)/2)
	if _, err := io.ReadFull(in, half); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	rest := make(chan []byte)
	go func() {
		data, _ := io.ReadAll(in)
		rest <- data
	}()
	tooltest.Until(t, "the wait", func() bool { return strings.Contains(p.Stderr(), "going on in 200ms") })
	server.Start()
	if got := string(half) + string(<-rest); got != string(data) {
		t.Errorf("%d bytes that are not the %d stored", len(got), len(data))
	}
	if r := p.Wait(); r.Code != 0 {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}

// TestServerThatDiesFailsTheGet: what came out before is a part of the
// archive, and the status tells that it is not all.
func TestServerThatDiesFailsTheGet(t *testing.T) {
	store, _, server, data := stored(t)
	p, in := reader(t, store, "--attempts", "2", "-c", "2", "bkt:x")
	half := make([]byte, len(data)/2)
	if _, err := io.ReadFull(in, half); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	rest, _ := io.ReadAll(in)
	if got := string(half) + string(rest); !strings.HasPrefix(string(data), got) || len(got) == len(data) {
		t.Errorf("%d bytes came out that are no part of the archive", len(got))
	}
	if r := p.Wait(); r.Code != 1 || strings.Count(r.Err, "s3get: error: get object") != 1 {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}

// TestInterruptedGetEnds: also when nobody reads and when the server says
// nothing.
func TestInterruptedGetEnds(t *testing.T) {
	store, proxy, _, _ := stored(t)
	for sig, name := range map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"} {
		proxy.Reset()
		p, in := reader(t, store, "bkt:x")
		if _, err := io.ReadFull(in, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		p.Signal(sig) // its write blocks: the pipe is full
		if r := p.Wait(); r.Code != 128+int(sig) || r.Err != "s3get: error: interrupted by "+name+"\n" {
			t.Errorf("with a blocked reader: exit status %d\n%s", r.Code, r.Err)
		}
		come := make(chan struct{})
		proxy.Inject(storetest.Fault{Stall: true, Times: 1, Match: func(r *http.Request) bool {
			if !isChunk(r) {
				return false
			}
			close(come)
			return true
		}})
		p, _ = reader(t, store, "bkt:x")
		<-come
		p.Signal(sig)
		if r := p.Wait(); r.Code != 128+int(sig) || r.Err != "s3get: error: interrupted by "+name+"\n" {
			t.Errorf("with a silent server: exit status %d\n%s", r.Code, r.Err)
		}
	}
}

// TestDownloadsRunInParallel: one that does not end does not hold up the
// others, within what memory allows.
func TestDownloadsRunInParallel(t *testing.T) {
	store, proxy, _, _ := stored(t)
	proxy.Inject(storetest.Fault{Stall: true, Times: 1, Match: func(r *http.Request) bool {
		return isChunk(r) && strings.HasSuffix(r.URL.Path, ":0000000000000")
	}})
	p, _ := reader(t, store, "-v", "-c", "4", "bkt:x")
	tooltest.Until(t, "three other chunks", func() bool {
		return strings.Contains(p.Stderr(), "verified chunk 1,") && strings.Contains(p.Stderr(), "verified chunk 2,") &&
			strings.Contains(p.Stderr(), "verified chunk 3,")
	})
	p.Signal(os.Interrupt)
	p.Wait()
}

// TestVerifyFindsDamageOnAServer: and writes nothing.
func TestVerifyFindsDamageOnAServer(t *testing.T) {
	store, _, server, data := stored(t)
	if out := store.Must(t, nil, "s3get", "--verify", "bkt:x"); out != "" {
		t.Errorf("it wrote %d bytes", len(out))
	}
	damage(t, server, "x:*:0000000000007")
	r := store.Run(t, nil, "s3get", "--verify", "bkt:x")
	if r.Code != 5 || r.Out != "" || !strings.Contains(r.Err, "0000000000007\" is damaged") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	r = store.Run(t, nil, "s3get", "bkt:x")
	if r.Code != 5 || !strings.HasPrefix(string(data), r.Out) || len(r.Out) > 7*100_000 {
		t.Errorf("exit status %d, %d bytes came out", r.Code, len(r.Out))
	}
}
