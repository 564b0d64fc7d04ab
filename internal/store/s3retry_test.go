package store

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"napback/internal/cli"
	"napback/internal/storetest"
)

// TestRetry: what can heal is tried again, as often as was asked.
func TestRetry(t *testing.T) {
	for code, status := range map[string]int{
		"SlowDown": 503, "InternalError": 500, "RequestTimeout": 400, "ConditionalRequestConflict": 409,
		"RequestTimeTooSkewed": 403, "TooManyRequests": 429, "": 502, "ThrottlingException": 400, "BadDigest": 400,
	} {
		t.Run(code, func(t *testing.T) {
			f := newFaulty(t, nil)
			f.proxy.Inject(storetest.Fault{Times: 4, Status: status, Code: code})
			storetest.Put(t, f.bucket, "k", []byte("data"))
			f.wantRequests(t, "PUT", 5)
			f.proxy.Reset()
			f.proxy.Inject(storetest.Fault{Status: status, Code: code, Message: "please\nwait"})
			err := f.bucket.Put(t.Context(), storetest.Object("l", []byte("data")))
			f.wantRequests(t, "PUT", 5)
			if err == nil || !strings.HasSuffix(err.Error(), "(tried 5 times)") {
				t.Errorf("error %v does not tell of 5 tries", err)
			}
			wantOneLine(t, err, f.server)
		})
	}
}

// TestPermanent: a refusal is not tried again.
func TestPermanent(t *testing.T) {
	for _, test := range []struct {
		status     int
		code, want string
	}{
		{403, "AccessDenied", `put object "k": access denied`},
		{404, "NoSuchBucket", `put object "k": bucket "bucket": not found`},
		{403, "InvalidAccessKeyId", `put object "k": the service does not know the access key`},
		{403, "SignatureDoesNotMatch", `put object "k": the secret key does not belong to the access key`},
		{400, "InvalidArgument", `put object "k": the service answered 400 InvalidArgument: m`},
		{400, "EntityTooLarge", `put object "k": the service answered 400 EntityTooLarge: m`},
		{301, "PermanentRedirect", `put object "k": bucket "bucket": not in region "us-east-1": m`},
		{405, "", `put object "k": the service answered 405 MethodNotAllowed`},
	} {
		f := newFaulty(t, func(cfg *Config, _ *tuning) { cfg.NeverDie = true })
		f.proxy.Inject(storetest.Fault{Status: test.status, Code: test.code, Message: "m"})
		err := f.bucket.Put(t.Context(), storetest.Object("k", []byte("data")))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.code, err, test.want)
		}
		wantOneLine(t, err, f.server)
		f.wantRequests(t, "", 1)
	}
}

// wantOneLine: an error is for people, and tells no secret.
func wantOneLine(t *testing.T, err error, server *storetest.Server) {
	t.Helper()
	if err == nil {
		return
	}
	var out strings.Builder
	cli.PrintError(&out, "tool", err)
	text := err.Error()
	for _, bad := range []string{"\n", "operation error", "https response", "RequestID", "0123456789ABCDEF", server.SecretKey} {
		if strings.Contains(text, bad) || bad != "\n" && strings.Contains(out.String(), bad) {
			t.Errorf("error %q holds %q", out.String(), bad)
		}
	}
}

// TestStall: a connection that moves nothing is given up, and the next one
// does it; a slow one is not.
func TestStall(t *testing.T) {
	f := newFaulty(t, nil)
	link := storetest.NewLink(t, f.server.Endpoint)
	b := f.open(t, link.URL, func(cfg *Config, tune *tuning) {
		tune.stall = 300 * time.Millisecond
		cfg.NeverDie, cfg.RetryWait = true, 1
	}).Bucket("bucket")
	link.Stall(true)
	done := make(chan error)
	data := storetest.Noise(4 << 20)
	go func() { done <- b.Put(t.Context(), storetest.Object("k", data)) }()
	<-f.log.hit // the first try has failed
	link.Stall(false)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(f.log.String(), "no byte moved for 300ms") {
		t.Errorf("the log does not say why: %s", f.log)
	}
	if got := storetest.Get(t, b, "k"); !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
}

// TestSlowIsNoStall: with a bandwidth limit an upload takes several stall
// times and still needs one request; nor does the answer's side time out.
func TestSlowIsNoStall(t *testing.T) {
	f := newFaulty(t, func(cfg *Config, tune *tuning) {
		tune.stall = time.Second
		cfg.BandwidthLimit = 100_000
	})
	start := time.Now()
	storetest.Put(t, f.bucket, "k", storetest.Noise(300_000))
	if took := time.Since(start); took < 2500*time.Millisecond {
		t.Errorf("300000 bytes at 100000 a second took %v", took)
	}
	f.wantRequests(t, "", 1)
}

// TestCutUpload: an upload that is cut in the middle is sent again.
func TestCutUpload(t *testing.T) {
	f := newFaulty(t, nil)
	link := storetest.NewLink(t, f.server.Endpoint)
	b := f.open(t, link.URL, nil).Bucket("bucket")
	link.CutAfter(1 << 20)
	data := storetest.Noise(4 << 20)
	storetest.Put(t, b, "k", data)
	if got := storetest.Get(t, b, "k"); !bytes.Equal(got, data) {
		t.Error("other bytes came back")
	}
}

// TestNeverDie: with the server gone for longer than all tries, the same
// upload goes on when it is back, and each round is said.
func TestNeverDie(t *testing.T) {
	f := newFaulty(t, nil)
	b := f.open(t, f.server.Endpoint, func(cfg *Config, _ *tuning) {
		cfg.NeverDie, cfg.RetryWait, cfg.Attempts = true, time.Millisecond, 3
		cfg.Log.Level = 0
	}).Bucket("bucket")
	f.server.Stop()
	done := make(chan error)
	go func() { done <- b.Put(t.Context(), storetest.Object("k", []byte("data"))) }()
	<-f.log.hit
	<-f.log.hit
	select {
	case err := <-done:
		t.Fatalf("it ended while the server was gone: %v", err)
	default:
	}
	f.server.Start()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := storetest.Get(t, b, "k"); string(got) != "data" {
		t.Errorf("the object is %q", got)
	}
	if !strings.Contains(f.log.String(), "tried 3 times, going on in 1ms") {
		t.Errorf("the log is %s", f.log)
	}
}

// TestCancelWait: the longest wait ends at once with its context.
func TestCancelWait(t *testing.T) {
	f := newFaulty(t, func(cfg *Config, _ *tuning) { cfg.NeverDie, cfg.RetryWait, cfg.Attempts = true, time.Hour, 1 })
	f.proxy.Inject(storetest.Fault{Status: 503, Code: "SlowDown"})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-f.log.hit
		cancel()
	}()
	if err := f.bucket.Put(ctx, storetest.Object("k", nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
