package store

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"napback/internal/address"
	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/storetest"
)

// drip writes size bytes, step of them at a time, as a slow line would.
func drip(w http.ResponseWriter, size, step int, pause time.Duration) {
	flush := http.NewResponseController(w)
	for ; size > 0; size -= step {
		if _, err := io.WriteString(w, strings.Repeat("x", min(step, size))); err != nil || flush.Flush() != nil {
			return
		}
		time.Sleep(pause) // the line
	}
}

func hostileBucket(t *testing.T, endpoint string, change func(cfg *Config, tune *tuning)) archive.Store {
	t.Helper()
	user := storetest.User{AccessKey: "a", SecretKey: "s"}
	return openTest(t, endpoint, func(cfg *Config, tune *tuning) {
		cfg.KeyFile = user.KeyFile(t)
		if change != nil {
			change(cfg, tune)
		}
	}).Bucket("bucket")
}

// TestDripIsGivenUp: a byte now and then, which is enough not to be a stall, is
// not enough for an answer, be it in its headers, in a listing or in an object.
func TestDripIsGivenUp(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/object") {
			w.Header().Set("Content-Length", "1000000")
		}
		drip(w, 1_000_000, 1, 100*time.Millisecond)
	})
	patience := func(cfg *Config, tune *tuning) { tune.stall, cfg.Attempts = 500*time.Millisecond, 1 }
	b := hostileBucket(t, server.Endpoint, patience)
	if err := listError(t.Context(), b); err == nil || !strings.Contains(err.Error(), "slower than 128 bytes a second (tried once)") {
		t.Errorf("list: %v", err)
	}
	body, _, err := b.Get(t.Context(), "object")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, body); err == nil || !strings.Contains(err.Error(), "slower than 128 bytes a second (tried once)") {
		t.Errorf("get: %d bytes, %v", n, err)
	}
	b = hostileBucket(t, drippingHeaders(t), patience)
	if err := listError(t.Context(), b); err == nil || !strings.Contains(err.Error(), "slower than 128 bytes a second (tried once)") {
		t.Errorf("headers: %v", err)
	}
}

// drippingHeaders is a service whose headers never end.
func drippingHeaders(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Long: ")
				for err == nil {
					_, err = io.WriteString(conn, "x")
					time.Sleep(20 * time.Millisecond) // the line
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// TestSlowLineIsNoDrip: one of eight downloads that share 20 kB/s takes as long
// as it takes.
func TestSlowLineIsNoDrip(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10000")
		drip(w, 10_000, 250, 100*time.Millisecond)
	})
	log := new(logText)
	b := hostileBucket(t, server.Endpoint, func(cfg *Config, tune *tuning) {
		tune.stall, tune.patience, cfg.Attempts = 300*time.Millisecond, 300*time.Millisecond, 1
		cfg.Log = &cli.Log{Tool: "test", W: log, Level: 1}
	})
	if got := storetest.Get(t, b, "object"); len(got) != 10_000 || log.String() != "" {
		t.Errorf("%d bytes came\n%s", len(got), log)
	}
}

// TestAnswersHaveADeadline: one that comes quickly enough not to be a drip but
// is not whole in its time.
func TestAnswersHaveADeadline(t *testing.T) {
	for _, status := range []int{200, 503} {
		server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			drip(w, 1<<30, 1000, 10*time.Millisecond)
		})
		b := hostileBucket(t, server.Endpoint, func(cfg *Config, tune *tuning) { tune.patience, cfg.Attempts = 200*time.Millisecond, 2 })
		want := map[int]string{200: "an answer that does not end (tried 2 times)", 503: "the service answered 503"}[status]
		if err := listError(t.Context(), b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestAByteForEachTryIsNoProgress: a service that breaks off after each byte is
// not tried for ever.
func TestAByteForEachTryIsNoProgress(t *testing.T) {
	requests := 0
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		from, status := 0, http.StatusOK
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); n == 1 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-999/1000", from))
			status = http.StatusPartialContent
		}
		w.Header().Set("ETag", `"e"`)
		w.Header().Set("Content-Length", fmt.Sprint(1000-from))
		w.WriteHeader(status)
		io.WriteString(w, "x")
	})
	body, _, err := hostileBucket(t, server.Endpoint, nil).Get(t.Context(), "object")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, body); err == nil || n > 10 || requests > 10 {
		t.Errorf("%d bytes with %d requests, %v", n, requests, err)
	}
}

// TestOpenEndpointIsTold: once, and not of this machine.
func TestOpenEndpointIsTold(t *testing.T) {
	for endpoint, want := range map[string]int{
		"http://s3.example.org": 1, "http://192.0.2.7:9000": 1, "http://[2001:db8::1]:9000": 1, "http://localhost.example.org": 1,
		"http://127.0.0.1:9000": 0, "http://localhost:9000": 0, "http://[::1]:9000": 0, "https://s3.example.org": 0,
	} {
		log := new(logText)
		openTest(t, endpoint, func(cfg *Config, _ *tuning) {
			cfg.KeyFile = storetest.User{AccessKey: "a", SecretKey: "s"}.KeyFile(t)
			cfg.Log = &cli.Log{Tool: "test", W: log}
		})
		if got := strings.Count(log.String(), "test: note: "+address.OpenEndpoint); got != want || strings.Count(log.String(), "\n") != want {
			t.Errorf("%s: %q", endpoint, log)
		}
	}
}
