package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

func isChunk(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, ":00000000000")
}

// TestServerThatStopsIsWaitedFor: with -n the archive is whole after the
// server has come back, and no chunk is left out.
func TestServerThatStopsIsWaitedFor(t *testing.T) {
	store, _, server := proxied(t)
	data := tooltest.Random(3, 50_000)
	in, out := pipe(t)
	p := store.Start(t, in, "s3put", "-v", "-n", "--attempts", "1", "--retry-wait", "200ms", "-c", "2", "-z", "1000", "bkt:x")
	in.Close()
	out.Write(data[:20_000])
	tooltest.Until(t, "some chunks", func() bool { return strings.Count(p.Stderr(), "stored chunk") >= 10 })
	server.Stop()
	go func() {
		out.Write(data[20_000:])
		out.Close()
	}()
	tooltest.Until(t, "the wait", func() bool { return strings.Count(p.Stderr(), "going on in 200ms") >= 3 })
	server.Start()
	if r := p.Wait(); r.Code != 0 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Err)
	}
	store.Reads(t, "bkt:x", data)
	if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
		t.Errorf("there are %s", got)
	}
}

func TestServerThatStopsFailsThePutWithoutNeverDie(t *testing.T) {
	store, _, server := proxied(t)
	store.Put(t, "bkt:x", []byte("good"), 10)
	in, out := pipe(t)
	p := store.Start(t, in, "s3put", "-v", "--attempts", "2", "-z", "10", "bkt:x")
	io.WriteString(out, "0123456789")
	tooltest.Until(t, "a chunk", func() bool { return strings.Contains(p.Stderr(), "stored chunk") })
	server.Stop()
	io.WriteString(out, "0123456789")
	r := p.Wait()
	if r.Code != 1 || !strings.Contains(r.Err, `s3put: error: put object "x:`) || !strings.Contains(r.Err, "(tried 2 times)") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if n := strings.Count(r.Err, "s3put: error:"); n != 1 {
		t.Errorf("%d lines of error:\n%s", n, r.Err)
	}
	server.Start()
	store.Reads(t, "bkt:x", []byte("good"))
}

func TestServerThatIsNotThere(t *testing.T) {
	_, _, server := proxied(t)
	store := tooltest.Server(server, server.Endpoint)
	server.Stop()
	for _, args := range [][]string{
		{"s3put", "--attempts", "1", "bkt:x", "--", "touch", filepath.Join(t.TempDir(), "started")},
		{"s3get", "--attempts", "1", "bkt:x"},
	} {
		r := store.Run(t, nil, args[0], args[1:]...)
		want := args[0] + `: error: list bucket "bkt": cannot connect to ` + strings.TrimPrefix(server.Endpoint, "http://") + ": connection refused (tried once)\n" +
			args[0] + ": hint: check that the service is running and that the endpoint is right\n"
		if r.Code != 1 || r.Err != want || r.Out != "" {
			t.Errorf("exit status %d, stdout %q\n%s", r.Code, r.Out, r.Err)
		}
		if args[0] == "s3put" {
			if _, err := os.Stat(args[len(args)-1]); err == nil {
				t.Error("the producer was started")
			}
		}
	}
}

// TestPermanentRefusalFailsAtOnce: also with -n, which would wait for hours.
func TestPermanentRefusalFailsAtOnce(t *testing.T) {
	store, proxy, _ := proxied(t)
	store.Put(t, "bkt:x", []byte("good"), 10)
	proxy.Inject(storetest.Fault{Match: isChunk, Status: 403, Code: "AccessDenied"})
	r := store.Run(t, strings.NewReader("text"), "s3put", "-n", "--retry-wait", "100h", "bkt:x")
	if r.Code != 8 || !strings.Contains(r.Err, ": access denied\n") || !strings.Contains(r.Err, "s3put: hint: check what ") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	proxy.Reset()
	store.Reads(t, "bkt:x", []byte("good"))

	// Keys that the service does not know, before anything is started.
	started := filepath.Join(t.TempDir(), "started")
	bad := store
	bad.Env = append(bad.Env[:len(bad.Env):len(bad.Env)], "AWS_SECRET_ACCESS_KEY=wrong0123456789")
	r = bad.Run(t, nil, "s3put", "-n", "--retry-wait", "100h", "bkt:x", "--", "touch", started)
	if r.Code != 1 || !strings.Contains(r.Err, "the secret key does not belong to the access key") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("the producer was started with keys that cannot store anything")
	}
	if strings.Contains(r.Err, "wrong0123456789") {
		t.Error("the secret is in the message")
	}
}

// TestLostAnswersCommitOnce: what the server has done and could not say is
// not done twice, and is no failure.
func TestLostAnswersCommitOnce(t *testing.T) {
	store, proxy, _ := proxied(t)
	data := tooltest.Random(4, 5000)
	for _, end := range []string{"0000", "0004", "SHA256SUMS", "manifest"} {
		proxy.Inject(storetest.Fault{Lose: true, Times: 1, Match: func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, end)
		}})
	}
	store.Put(t, "bkt:x", data, 1000)
	if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
		t.Errorf("there are %s", got)
	}
	store.Reads(t, "bkt:x", data)
}

func TestStormOfRefusalsIsWeathered(t *testing.T) {
	store, proxy, _ := proxied(t)
	data := tooltest.Random(5, 20_000)
	for _, f := range []storetest.Fault{
		{Status: 503, Code: "SlowDown", Times: 5, Match: isChunk},
		{Status: 500, Code: "InternalError", Times: 2, Match: isChunk},
		{Status: 409, Code: "ConditionalRequestConflict", Times: 1, Match: isChunk},
		{Status: 503, Times: 1, Match: storetest.Method(http.MethodGet)},
		{Status: 503, Times: 1, Match: storetest.Method(http.MethodPost)},
	} {
		proxy.Inject(f)
	}
	store.Put(t, "bkt:x", data, 1000)
	proxy.Inject(storetest.Fault{Status: 503, Times: 3, Match: storetest.Method(http.MethodGet)})
	store.Reads(t, "bkt:x", data)
}

// TestForeignObjectUnderOurKeyIsNeitherOverwrittenNorRemoved: nobody should
// use the keys of a run, but whoever does keeps what is his.
func TestForeignObjectUnderOurKeyIsNeitherOverwrittenNorRemoved(t *testing.T) {
	store, proxy, server := proxied(t)
	store.Put(t, "bkt:x", []byte("good"), 10)
	var foreign string
	var once sync.Once
	proxy.Inject(storetest.Fault{Times: 1, Status: 503, Code: "SlowDown", Match: func(r *http.Request) bool {
		if !isChunk(r) || !strings.HasSuffix(r.URL.Path, "2") {
			return false
		}
		once.Do(func() {
			foreign = filepath.Join(server.DataDir, filepath.FromSlash(r.URL.Path))
			client := s3.New(s3.Options{
				BaseEndpoint: aws.String(server.Endpoint), Region: server.Region, UsePathStyle: true,
				Credentials: credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, ""),
			})
			_, err := client.PutObject(context.Background(), &s3.PutObjectInput{
				Bucket: aws.String("bkt"), Key: aws.String(strings.TrimPrefix(r.URL.Path, "/bkt/")),
				Body: strings.NewReader("somebody else's"),
			})
			if err != nil {
				t.Error(err)
			}
		})
		return true
	}})
	r := store.Run(t, strings.NewReader("0123456789abcdefghijABCDEFGHIJxyz"), "s3put", "-z", "10", "bkt:x")
	if r.Code != 1 || !strings.Contains(r.Err, "already exists") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "somebody else's" {
		t.Errorf("the foreign object is now %q, %v", text, err)
	}
	if left, _ := filepath.Glob(strings.TrimSuffix(foreign, "2") + "*"); len(left) != 1 {
		t.Errorf("of the run there are left %v", left)
	}
	store.Reads(t, "bkt:x", []byte("good"))
}

// TestCredentialsThatMayOnlyCreateAreEnough: promise 3.
func TestCredentialsThatMayOnlyCreateAreEnough(t *testing.T) {
	store, proxy, _ := proxied(t)
	older := tooltest.Random(6, 5000)
	store.Put(t, "bkt:x", older, 1000)
	// Whoever may not look at the older runs has the clock alone.
	second := time.Now().Unix()
	tooltest.Until(t, "the next second", func() bool { return time.Now().Unix() > second })
	proxy.Inject(storetest.Fault{Status: 403, Code: "AccessDenied", Match: func(r *http.Request) bool { return r.Method != http.MethodPut }})
	proxy.Inject(storetest.Fault{Lose: true, Times: 1, Match: isChunk})
	newer := tooltest.Random(7, 5000)
	r := store.Run(t, strings.NewReader(string(newer)), "s3put", "-z", "1000", "bkt:x")
	if r.Code != 0 || r.Err != "s3put: note: older runs of \"x\" stay: these credentials may not list or delete\n" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	// The one that fails cannot clean up, says so, and commits nothing.
	bad := store.Run(t, nil, "s3put", "-z", "1000", "bkt:x", "--", "sh", "-c", "head -c 3000 /dev/zero; exit 1")
	if bad.Code != 6 || !strings.Contains(bad.Err, "s3put: note: the chunks of the run ") || !strings.Contains(bad.Err, "are left behind: ") {
		t.Errorf("exit status %d\n%s", bad.Code, bad.Err)
	}
	if n := strings.Count(bad.Err, "\n"); n > 3 {
		t.Errorf("%d lines:\n%s", n, bad.Err)
	}
	proxy.Reset()
	store.Reads(t, "bkt:x", newer)
	if got := runs(t, store); got != "1 committed, 1 superseded, 1 incomplete" {
		t.Errorf("there are %s", got)
	}
}

// TestUploadsRunInParallel: one that does not end does not hold up the others.
func TestUploadsRunInParallel(t *testing.T) {
	store, proxy, _ := proxied(t)
	fault, come := at(http.MethodPut, "0000")
	proxy.Inject(fault)
	p := store.Start(t, strings.NewReader(strings.Repeat("x", 100)), "s3put", "-v", "-c", "4", "-z", "10", "bkt:x")
	<-come
	tooltest.Until(t, "the other chunks", func() bool { return strings.Contains(p.Stderr(), "stored chunk 3") })
	p.Signal(os.Interrupt)
	p.Wait()
}

// TestEachRequestOptionReachesTheService checks the headers that the options
// are about, which a server of one disk does not act on.
func TestEachRequestOptionReachesTheService(t *testing.T) {
	store, proxy, _ := proxied(t)
	for _, c := range []struct {
		args          []string
		header, value string
		onManifest    bool
	}{
		{[]string{"--storage-class", "STANDARD_IA"}, "X-Amz-Storage-Class", "STANDARD_IA", false},
		{[]string{"--sse", "AES256"}, "X-Amz-Server-Side-Encryption", "AES256", true},
		{[]string{"--sse", "aws:kms", "--sse-kms-key", "k1"}, "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "k1", true},
	} {
		proxy.Reset()
		store.Run(t, strings.NewReader("text"), "s3put", append(c.args, "bkt:x")...)
		seen := 0
		for _, r := range proxy.Requests() {
			if r.Method != http.MethodPut {
				continue
			}
			want := c.value
			if !c.onManifest && !strings.Contains(r.Path, ":0000") {
				want = ""
			}
			if got := r.Header.Get(c.header); got != want {
				t.Errorf("%v: %s of %s is %q, not %q", c.args, c.header, r.Path, got, want)
			}
			seen++
		}
		if seen == 0 {
			t.Errorf("%v: no object was put", c.args)
		}
	}
}

// TestUserThatMayOnlyCreateIsEnough is the same with an account of a real
// server that has no other right.
func TestUserThatMayOnlyCreateIsEnough(t *testing.T) {
	store, _, server := proxied(t)
	data := tooltest.Random(8, 5000)
	user := server.User(t, "bkt", "s3:PutObject")
	r := store.Run(t, strings.NewReader(string(data)), "s3put", "-K", user.KeyFile(t), "-z", "1000", "bkt:x")
	if r.Code != 0 || !strings.Contains(r.Err, "s3put: note: older runs of \"x\" stay: ") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	for _, args := range [][]string{{"s3get", "bkt:x"}, {"s3ls", "bkt"}, {"s3rm", "-y", "bkt:x"}} {
		if r := store.Run(t, nil, args[0], append([]string{"-K", user.KeyFile(t)}, args[1:]...)...); r.Code != 8 || r.Out != "" || !strings.Contains(r.Err, "access denied") {
			t.Errorf("%v: exit status %d, stdout %q\n%s", args, r.Code, r.Out, r.Err)
		}
	}
	store.Reads(t, "bkt:x", data)
}
