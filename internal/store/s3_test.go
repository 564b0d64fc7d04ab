package store

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/storetest"
)

// faulty is a bucket on a real server behind a proxy.
type faulty struct {
	server *storetest.Server
	proxy  *storetest.Proxy
	bucket archive.Store
	log    *logText
}

// logText is a log that a test reads while it is written.
type logText struct {
	mu  sync.Mutex
	buf bytes.Buffer
	hit chan struct{} // gets a value for every line, if there is room
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.hit <- struct{}{}:
	default:
	}
	return l.buf.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newFaulty(t *testing.T, change func(cfg *Config, t *tuning)) *faulty {
	t.Helper()
	f := &faulty{server: storetest.Versitygw(t), log: &logText{hit: make(chan struct{}, 1)}}
	if err := openServer(t, f.server).CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	f.proxy = storetest.NewProxy(t, f.server.Endpoint)
	f.bucket = f.open(t, f.proxy.URL, change).Bucket("bucket")
	return f
}

func (f *faulty) open(t *testing.T, endpoint string, change func(cfg *Config, t *tuning)) Service {
	t.Helper()
	return openTest(t, endpoint, func(cfg *Config, tune *tuning) {
		cfg.KeyFile = f.server.KeyFile(t)
		cfg.Log = &cli.Log{Tool: "test", W: f.log, Level: 1}
		if change != nil {
			change(cfg, tune)
		}
	})
}

// wantRequests checks how often the service was asked.
func (f *faulty) wantRequests(t *testing.T, method string, want int) {
	t.Helper()
	if got := f.proxy.Count(method); got != want {
		t.Errorf("%d %s requests, want %d", got, method, want)
	}
}

// TestPutLostAnswer: an upload whose answer was lost is found to be there.
func TestPutLostAnswer(t *testing.T) {
	f := newFaulty(t, nil)
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("PUT"), Times: 1, Lose: true})
	data := storetest.Noise(100000)
	storetest.Put(t, f.bucket, "k", data)
	f.wantRequests(t, "PUT", 2)
	f.wantRequests(t, "HEAD", 1)
	if got := storetest.Get(t, f.bucket, "k"); !bytes.Equal(got, data) {
		t.Error("other bytes are stored")
	}
}

// TestPutLostAnswerWriteOnly: credentials that may not look do not fail an
// upload of which only the answer was lost, and never pass over somebody
// else's object.
func TestPutLostAnswerWriteOnly(t *testing.T) {
	f := newFaulty(t, nil)
	user := f.server.User(t, "bucket", "s3:PutObject")
	b := f.open(t, f.proxy.URL, func(cfg *Config, _ *tuning) { cfg.KeyFile = user.KeyFile(t) }).Bucket("bucket")
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("PUT"), Times: 1, Lose: true})
	storetest.Put(t, b, "k", []byte("data"))
	f.wantRequests(t, "PUT", 2)
	err := b.Put(t.Context(), storetest.Object("k", []byte("other")))
	if !errors.Is(err, archive.ErrExist) {
		t.Errorf("put over an object: error %v, want ErrExist", err)
	}
	_, _, err = b.Get(t.Context(), "k")
	if !errors.Is(err, archive.ErrPermission) || !strings.Contains(err.Error(), `get object "k": access denied`) {
		t.Errorf("get: error %v, want ErrPermission", err)
	}
	if err := b.Delete(t.Context(), "k"); !errors.Is(err, archive.ErrPermission) {
		t.Errorf("delete: error %v, want ErrPermission", err)
	}
	if err := b.Delete(t.Context(), "k", "l"); !errors.Is(err, archive.ErrPermission) {
		t.Errorf("delete of two: error %v, want ErrPermission", err)
	}
	if err := listError(t.Context(), b); !errors.Is(err, archive.ErrPermission) {
		t.Errorf("list: error %v, want ErrPermission", err)
	}
	if got := storetest.Get(t, f.bucket, "k"); string(got) != "data" {
		t.Errorf("the object is %q", got)
	}
}

// TestPutWithoutMetadata: the bytes decide where there is no stored hash.
func TestPutWithoutMetadata(t *testing.T) {
	f := newFaulty(t, nil)
	if err := os.WriteFile(filepath.Join(f.server.DataDir, "bucket", "foreign"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.bucket.Put(t.Context(), storetest.Object("foreign", []byte("data"))); err != nil {
		t.Errorf("put of the same bytes: %v", err)
	}
	if err := f.bucket.Put(t.Context(), storetest.Object("foreign", []byte("Data"))); !errors.Is(err, archive.ErrExist) {
		t.Errorf("put of other bytes: error %v, want ErrExist", err)
	}
}

// TestExpiredToken: new credentials are fetched, once.
func TestExpiredToken(t *testing.T) {
	f := newFaulty(t, nil)
	f.proxy.Inject(storetest.Fault{Times: 1, Status: 400, Code: "ExpiredToken"})
	storetest.Put(t, f.bucket, "k", []byte("data"))
	f.wantRequests(t, "PUT", 2)
	f.proxy.Reset()
	f.proxy.Inject(storetest.Fault{Status: 400, Code: "ExpiredToken"})
	err := f.bucket.Put(t.Context(), storetest.Object("l", []byte("data")))
	if err == nil || !strings.Contains(err.Error(), "the credentials have expired") {
		t.Errorf("error %v", err)
	}
	f.wantRequests(t, "PUT", 2)
}

// TestRenewedKeyFile: a key file that was renewed is read again.
func TestRenewedKeyFile(t *testing.T) {
	f := newFaulty(t, nil)
	file := filepath.Join(t.TempDir(), "keys")
	write := func(key, secret string) {
		if err := os.WriteFile(file, []byte("key="+key+"\nsecret="+secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("oldkey", "oldsecret")
	b := f.open(t, f.proxy.URL, func(cfg *Config, _ *tuning) { cfg.KeyFile = file }).Bucket("bucket")
	if err := b.Put(t.Context(), storetest.Object("k", nil)); !errors.Is(err, archive.ErrPermission) {
		t.Fatalf("put with an old key: error %v", err)
	}
	write(f.server.AccessKey, f.server.SecretKey)
	f.proxy.Inject(storetest.Fault{Times: 1, Status: 400, Code: "ExpiredToken"})
	storetest.Put(t, b, "k", []byte("data"))
}

// TestNoConditions: a service that does not know If-None-Match is looked at
// before each upload, and asked only once for what it does not know.
func TestNoConditions(t *testing.T) {
	conditional := func(r *http.Request) bool { return r.Header.Get("If-None-Match") != "" }
	for _, fault := range []storetest.Fault{
		{Match: conditional, Status: 501, Code: "NotImplemented", Message: "A header you provided implies functionality that is not implemented"},
		{Match: conditional, Status: 400, Code: "InvalidArgument", Message: "If-None-Match is not supported"},
	} {
		f := newFaulty(t, nil)
		f.proxy.Inject(fault)
		storetest.Put(t, f.bucket, "k", []byte("data"))
		f.wantRequests(t, "PUT", 2)
		f.wantRequests(t, "HEAD", 1)
		storetest.Put(t, f.bucket, "l", []byte("data"))
		f.wantRequests(t, "PUT", 3)
		f.wantRequests(t, "HEAD", 2)
		storetest.Put(t, f.bucket, "l", []byte("data"))
		if err := f.bucket.Put(t.Context(), storetest.Object("l", []byte("other"))); !errors.Is(err, archive.ErrExist) {
			t.Errorf("put over an object: error %v, want ErrExist", err)
		}
		f.wantRequests(t, "PUT", 3)
		if n := strings.Count(f.log.String(), "does not know If-None-Match"); n != 1 {
			t.Errorf("it is said %d times", n)
		}
	}
}

// TestDeleteFallsBack: a service without DeleteObjects is asked for each key,
// and a key that it reports as not deleted is an error that names it.
func TestDeleteFallsBack(t *testing.T) {
	f := newFaulty(t, nil)
	for _, key := range []string{"a", "b", "c"} {
		storetest.Put(t, f.bucket, key, []byte(key))
	}
	f.proxy.Reset()
	f.proxy.Inject(storetest.Fault{Match: storetest.Method("POST"), Status: 501, Code: "NotImplemented"})
	f.proxy.Inject(storetest.Fault{Match: func(r *http.Request) bool {
		return r.Method == "DELETE" && strings.HasSuffix(r.URL.Path, "/b")
	}, Status: 403, Code: "AccessDenied"})
	err := f.bucket.Delete(t.Context(), "a", "b", "c")
	if !errors.Is(err, archive.ErrPermission) || err.Error() != `delete object "b": access denied` {
		t.Errorf("error %v", err)
	}
	if diff := cmp.Diff([]string{"b"}, storetest.Keys(t, f.bucket, archive.Query{})); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	f.wantRequests(t, "POST", 1)
	f.wantRequests(t, "DELETE", 3)
}

// TestRequestCounts: pages and batches are what a listing and a deletion cost.
func TestRequestCounts(t *testing.T) {
	f := newFaulty(t, nil)
	keys := make([]string, 1050)
	for i := range keys {
		keys[i] = fmt.Sprintf("k%04d", i)
		name := filepath.Join(f.server.DataDir, "bucket", keys[i])
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := storetest.Keys(t, f.bucket, archive.Query{}); len(got) != len(keys) {
		t.Errorf("%d keys, want %d", len(got), len(keys))
	}
	f.wantRequests(t, "GET", 2)
	if err := f.bucket.Delete(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
	f.wantRequests(t, "POST", 2)
	f.wantRequests(t, "DELETE", 0)
}

// TestPutHeaders: what was asked for is asked of the service, with the hash
// of the caller signed and nothing that old services do not know.
func TestPutHeaders(t *testing.T) {
	f := newFaulty(t, func(cfg *Config, _ *tuning) {
		cfg.StorageClass, cfg.SSE, cfg.SSEKMSKey = "STANDARD_IA", "aws:kms", "key-id"
	})
	for _, bulk := range []bool{true, false} {
		f.proxy.Reset()
		f.proxy.Inject(storetest.Fault{Status: 200})
		obj := storetest.Object("k", []byte("data"))
		obj.Bulk = bulk
		if err := f.bucket.Put(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
		class := map[bool]string{true: "STANDARD_IA", false: ""}[bulk]
		const sum = "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
		got := f.proxy.Requests()[0].Header
		for name, want := range map[string]string{
			"X-Amz-Storage-Class": class, "X-Amz-Server-Side-Encryption": "aws:kms",
			"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": "key-id",
			"If-None-Match": "*", "X-Amz-Content-Sha256": sum, "X-Amz-Meta-Sha256": sum,
			"Content-Length": "4", "Content-Encoding": "", "X-Amz-Trailer": "", "X-Amz-Sdk-Checksum-Algorithm": "",
			"X-Amz-Checksum-Crc32": "",
		} {
			if got.Get(name) != want {
				t.Errorf("bulk %v: header %s is %q, want %q", bulk, name, got.Get(name), want)
			}
		}
	}
}
