package main

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// moment is when a put is interrupted: start returns a put that has come to it.
type moment struct {
	name  string
	start func() *tooltest.Process
}

// uploading is the moments in which s3put waits for the store.
func uploading(t *testing.T, store tooltest.Store, proxy *storetest.Proxy) []moment {
	data := func() io.Reader { return strings.NewReader(string(tooltest.Random(2, 5000))) }
	refused := storetest.Fault{Status: 503, Code: "SlowDown", Match: func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "2")
	}}
	return []moment{
		{"during an upload", func() *tooltest.Process {
			fault, come := at(http.MethodPut, "3")
			proxy.Inject(fault)
			p := store.Start(t, data(), "s3put", "-z", "1000", "bkt:x")
			<-come
			return p
		}},
		{"during the upload of the sums", func() *tooltest.Process {
			fault, come := at(http.MethodPut, "SHA256SUMS")
			proxy.Inject(fault)
			p := store.Start(t, data(), "s3put", "-z", "1000", "bkt:x")
			<-come
			return p
		}},
		{"waiting for a server that is away", func() *tooltest.Process {
			proxy.Inject(refused)
			p := store.Start(t, data(), "s3put", "-n", "--attempts", "1", "--retry-wait", "10h", "-z", "1000", "bkt:x")
			tooltest.Until(t, "the wait", func() bool { return strings.Contains(p.Stderr(), "going on in 10h") })
			return p
		}},
	}
}

// listening is the moments in which s3put waits for its stream or its commit.
func listening(t *testing.T, store tooltest.Store, proxy *storetest.Proxy) []moment {
	quiet, _ := pipe(t) // its other end stays open and says nothing
	return []moment{
		{"stdin says nothing", func() *tooltest.Process {
			p := store.Start(t, quiet, "s3put", "bkt:x")
			tooltest.Until(t, "the first request", func() bool { return proxy.Count("") > 0 })
			return p
		}},
		{"stdin says nothing more", func() *tooltest.Process {
			in, out := pipe(t)
			p := store.Start(t, in, "s3put", "-v", "-z", "10", "bkt:x")
			io.WriteString(out, "0123456789abcdefg")
			tooltest.Until(t, "a chunk", func() bool { return strings.Contains(p.Stderr(), "stored chunk 0") })
			return p
		}},
		{"no commit comes", func() *tooltest.Process {
			p := store.StartWith(t, commitPipe(t, quiet, strings.NewReader("text")), "s3put", "-v", "-z", "2", "--commit-fd", "3", "bkt:x")
			tooltest.Until(t, "the chunks", func() bool { return strings.Count(p.Stderr(), "stored chunk") == 2 })
			return p
		}},
		{"the producer works on", func() *tooltest.Process {
			p := store.Start(t, nil, "s3put", "-v", "-z", "1000", "bkt:x", "--", "sh", "-c", "head -c 2000 /dev/zero; exec sleep 1000")
			tooltest.Until(t, "the chunks", func() bool { return strings.Count(p.Stderr(), "stored chunk") == 2 })
			return p
		}},
		{"the producer has closed its output and works on", func() *tooltest.Process {
			p := store.Start(t, nil, "s3put", "-v", "-z", "1000", "bkt:x", "--", "sh", "-c", "head -c 2000 /dev/zero; exec sleep 1000 >&-")
			tooltest.Until(t, "the chunks", func() bool { return strings.Count(p.Stderr(), "stored chunk") == 2 })
			return p
		}},
		{"the producer ignores SIGTERM", func() *tooltest.Process {
			p := store.Start(t, nil, "s3put", "-v", "-z", "1000", "bkt:x", "--", "sh", "-c",
				"trap '' TERM; head -c 2000 /dev/zero; exec >&- 2>&-; while :; do sleep 0.1; done")
			tooltest.Until(t, "the chunks", func() bool { return strings.Count(p.Stderr(), "stored chunk") == 2 })
			return p
		}},
	}
}

func TestInterruptedPutLeavesNothing(t *testing.T) {
	store, proxy, _ := proxied(t)
	good := []byte("good")
	store.Put(t, "bkt:x", good, 1000)
	for _, c := range append(uploading(t, store, proxy), listening(t, store, proxy)...) {
		for sig, name := range map[syscall.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP"} {
			if sig != syscall.SIGINT && !strings.Contains(c.name, "upload") {
				continue // which signal it is does not depend on the moment
			}
			t.Run(c.name+"/"+name, func(t *testing.T) {
				proxy.Reset()
				p := c.start()
				began := time.Now()
				p.Signal(sig)
				r := p.Wait()
				if r.Code != 128+int(sig) {
					t.Errorf("exit status %d\n%s", r.Code, r.Err)
				}
				if want := "s3put: error: interrupted by " + name + "\n"; !strings.HasSuffix(r.Err, want) {
					t.Errorf("stderr does not end with %q:\n%s", want, r.Err)
				}
				t.Logf("ended after %v", time.Since(began))
				proxy.Reset()
				if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
					t.Errorf("there are %s:\n%s", got, store.Must(t, nil, "s3ls", "-r", "--chunks", "bkt:x"))
				}
				store.Reads(t, "bkt:x", good)
			})
		}
	}
}
