//go:build !windows

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// forged makes a run whose manifest says what a test wants, and returns what
// its keys begin with as paths of the store.
func forged(t *testing.T, store tooltest.Store, name string, m archive.Manifest) string {
	t.Helper()
	m.Format, m.Name = "napback-archive/1", name
	m.Run, _ = archive.NewRun(time.Now(), "")
	if m.Sums == "" {
		m.Sums = strings.Repeat("0", 64)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(store.Dir, "b")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(dir, name+":"+string(m.Run)+":")
	if err := os.WriteFile(base+"manifest", text, 0o600); err != nil {
		t.Fatal(err)
	}
	return base
}

// sparse makes a file of that size that takes no room.
func sparse(t *testing.T, name string, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
}

// TestSumsStayInsideTheMemory: SHA256SUMS of 800 MiB, which the manifest asks
// for: more than the memory is told, and within it nothing is read in vain.
func TestSumsStayInsideTheMemory(t *testing.T) {
	store := tooltest.File(t)
	const chunks = 800 << 20 / 80
	base := forged(t, store, "x", archive.Manifest{Bytes: chunks, ChunkBytes: 1, Chunks: chunks})
	sparse(t, base+"SHA256SUMS", chunks*80)
	for _, verify := range []bool{true, false} {
		args := []string{"--memory", "64MiB", "b:x"}
		if verify {
			args = append(args, "--verify")
		}
		r := store.RunBounded(t, nil, "s3get", args...)
		if r.Code != 2 || r.Out != "" || !strings.Contains(r.Err, "give more --memory: the sums take 32 bytes a chunk") {
			t.Errorf("exit status %d\n%s", r.Code, r.Err)
		}
		args[1] = "10GiB"
		r = store.RunBounded(t, nil, "s3get", args...)
		if r.Code != 5 || r.Out != "" || !strings.Contains(r.Err, "line 1 is not that of chunk 0000000000000") {
			t.Errorf("exit status %d\n%s", r.Code, r.Err)
		}
	}
}

// TestManyChunksAreLegitimate: 400,000 of them, whose sums are real.
func TestManyChunksAreLegitimate(t *testing.T) {
	store := tooltest.File(t)
	const chunks = 400_000
	hash := sha256.New()
	text := new(strings.Builder)
	for n := range chunks {
		fmt.Fprintf(text, "%064d  %013d\n", n, n)
	}
	hash.Write([]byte(text.String()))
	base := forged(t, store, "x", archive.Manifest{Bytes: chunks * 25_000_000, ChunkBytes: 25_000_000, Chunks: chunks, Sums: fmt.Sprintf("%x", hash.Sum(nil))})
	if err := os.WriteFile(base+"SHA256SUMS", []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r := store.RunBounded(t, nil, "s3get", "--memory", "64MiB", "--verify", "b:x")
	if r.Code != 5 || !strings.Contains(r.Err, "\" is missing") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}

// TestNumbersThatCannotBeAreRefused: each for itself consistent.
func TestNumbersThatCannotBeAreRefused(t *testing.T) {
	const most = 1<<63 - 1
	for name, m := range map[string]archive.Manifest{
		"a chunk of everything": {Bytes: most, ChunkBytes: most, Chunks: 1},
		"everything in chunks":  {Bytes: most, ChunkBytes: 1, Chunks: most},
		"sums that overflow":    {Bytes: 1 << 62, ChunkBytes: 2, Chunks: 1 << 61},
	} {
		store := tooltest.File(t)
		base := forged(t, store, "x", m)
		sparse(t, base+"SHA256SUMS", 80)
		for _, args := range [][]string{{"b:x"}, {"--verify", "b:x"}, {"--memory", "8000PiB", "--verify", "b:x"}} {
			if r := store.RunBounded(t, nil, "s3get", args...); r.Code != 2 && r.Code != 5 || r.Out != "" {
				t.Errorf("%s, %q: exit status %d\n%s", name, args, r.Code, r.Err)
			}
		}
		if r := store.RunBounded(t, nil, "s3ls", "--chunks", "b"); r.Code != 0 && r.Code != 5 {
			t.Errorf("%s: s3ls: exit status %d\n%s", name, r.Code, r.Err)
		}
	}
}

// TestObjectsThatAreNoFiles: named pipes, directories, giants that take no room
// and links that lead out of the store.
func TestObjectsThatAreNoFiles(t *testing.T) {
	for name, c := range map[string]struct {
		make func(path string) error
		code int
	}{
		"pipe":      {func(path string) error { return syscall.Mkfifo(path, 0o600) }, 4},
		"directory": {func(path string) error { return os.Mkdir(path, 0o700) }, 4},
		"link out":  {func(path string) error { return os.Symlink("/etc/passwd", path) }, 1},
		"giant":     {func(path string) error { return errJoin(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40)) }, 5},
	} {
		for _, object := range []string{"manifest", "SHA256SUMS", "0000000000000"} {
			t.Run(name+" as "+object, func(t *testing.T) {
				store := tooltest.File(t)
				store.Must(t, nil, "s3put", "--create-bucket", "b:other")
				address := store.Put(t, "b:x", []byte("data"), 100)
				path := filepath.Join(store.Dir, "b", strings.TrimPrefix(address, "b:")+":"+object)
				if err := errJoin(os.Remove(path), c.make(path)); err != nil {
					t.Fatal(err)
				}
				want := c.code
				if object != "manifest" && want == 4 {
					want = 5
				}
				r := store.RunBounded(t, nil, "s3get", address)
				if r.Code != want || r.Out != "" {
					t.Errorf("s3get: exit status %d, want %d\n%s", r.Code, want, r.Err)
				}
				for _, args := range [][]string{{"b"}, {"-r", "b"}, {"--chunks", "b"}, {"-a", "b"}} {
					if r := store.RunBounded(t, nil, "s3ls", args...); r.Code > 5 {
						t.Errorf("s3ls %q: exit status %d\n%s", args, r.Code, r.Err)
					}
				}
				store.RunBounded(t, strings.NewReader("more"), "s3put", "b:x")
				store.RunBounded(t, nil, "s3rm", "-y", "b:x")
			})
		}
	}
}

func errJoin(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestBucketsThatAreNoDirectories: a named pipe neither hangs nor is one.
func TestBucketsThatAreNoDirectories(t *testing.T) {
	store := tooltest.File(t)
	if err := syscall.Mkfifo(filepath.Join(store.Dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(store.Dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(store.Dir, "b", "dir"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"s3get", "pipe:x"}, {"s3ls", "pipe"}, {"s3rm", "-y", "pipe:x"}, {"s3put", "pipe:x"}, {"s3get", "b:dir/x"}} {
		if r := store.Run(t, strings.NewReader(""), args[0], args[1:]...); r.Code != 4 {
			t.Errorf("%q: exit status %d\n%s", args, r.Code, r.Err)
		}
	}
	if r := store.Run(t, strings.NewReader(""), "s3put", "b:dir/x"); r.Code != 1 {
		t.Errorf("s3put below a pipe: exit status %d\n%s", r.Code, r.Err)
	}
	if r := store.Run(t, nil, "s3ls"); r.Code != 0 || strings.Contains(r.Out, "pipe") {
		t.Errorf("s3ls: exit status %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// TestObjectsWithoutEndEnd: a manifest whose size is a lie or missing.
func TestObjectsWithoutEndEnd(t *testing.T) {
	const run = "20261120T031502Z-k3f9"
	for name, head := range map[string]func(http.Header){
		"no length":   func(http.Header) {},
		"long length": func(h http.Header) { h.Set("Content-Length", "9223372036854775807") },
		"a gzip":      func(h http.Header) { h.Set("Content-Encoding", "gzip") },
	} {
		server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			head(w.Header())
			storetest.Endless(w, strings.Repeat("{", 10_000))
		})
		r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "s3get", "--attempts", "2", "--verify", "bkt:x:"+run)
		if r.Code != 1 && r.Code != 5 || r.Out != "" {
			t.Errorf("%s: exit status %d\n%s", name, r.Code, r.Err)
		}
	}
}

// TestJs3treamListingsAreBounded: numbers that cannot be, and more keys than
// fit into the memory.
func TestJs3treamListingsAreBounded(t *testing.T) {
	var n int
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", n)
		for range 1000 {
			fmt.Fprintf(w, "<Contents><Key>old:%013d</Key><Size>1</Size></Contents>", n)
			n++
		}
		fmt.Fprint(w, "</ListBucketResult>")
	})
	store := tooltest.Server(server, server.Endpoint)
	r := store.RunBounded(t, nil, "s3get", "--js3tream", "--memory", "8MiB", "bkt:old")
	if r.Code != 2 || !strings.Contains(r.Err, "the list of more than 116508 chunks does not fit into the memory") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
}
