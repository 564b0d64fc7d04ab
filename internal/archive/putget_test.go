package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

// bucket returns a new bucket in a directory store, and that directory.
func bucket(t *testing.T) (archive.Store, string) {
	t.Helper()
	dir := t.TempDir()
	service, err := store.Open(t.Context(), store.Config{Options: store.Options{Endpoint: "file://" + dir}})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateBucket(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	return service.Bucket("b"), filepath.Join(dir, "b")
}

func putOptions(name string, chunk int64) archive.PutOptions {
	return archive.PutOptions{
		Name: name, ChunkSize: chunk, Host: "h", Tool: "test",
		Budget: archive.Budget{Concurrency: 3, Memory: 1 << 20},
	}
}

func getOptions() archive.GetOptions {
	return archive.GetOptions{Budget: archive.Budget{Concurrency: 3, Memory: 1 << 20}}
}

func random(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return data
}

func mustPut(t *testing.T, st archive.Store, name string, data []byte, chunk int64) *archive.Manifest {
	t.Helper()
	m, err := archive.Put(t.Context(), st, bytes.NewReader(data), putOptions(name, chunk))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustGet(t *testing.T, st archive.Store, name string) []byte {
	t.Helper()
	m, err := archive.Newest(t.Context(), st, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, getOptions()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// keys lists all keys of a bucket.
func keys(t *testing.T, st archive.Store) []string {
	t.Helper()
	var all []string
	for e, err := range st.List(t.Context(), archive.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Key)
	}
	return all
}

func TestStreamsOfEverySizeComeBack(t *testing.T) {
	const chunk = 1000
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 25*chunk + 7} {
		for _, spool := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, spool %v", size, spool), func(t *testing.T) {
				st, dir := bucket(t)
				data := random(size)
				put, get := putOptions("a/b", chunk), getOptions()
				if spool {
					put.Budget.Spool, get.Budget.Spool = t.TempDir(), t.TempDir()
				}
				m, err := archive.Put(t.Context(), st, bytes.NewReader(data), put)
				if err != nil {
					t.Fatal(err)
				}
				if want := int64((size + chunk - 1) / chunk); m.Chunks != want || m.Bytes != int64(size) {
					t.Errorf("manifest says %d bytes in %d chunks; want %d in %d", m.Bytes, m.Chunks, size, want)
				}
				var out bytes.Buffer
				if err := archive.Get(t.Context(), st, m, &out, get); err != nil || !bytes.Equal(out.Bytes(), data) {
					t.Fatalf("got %d bytes, %v", out.Len(), err)
				}
				checkByHand(t, dir, m, data)
				for _, s := range []string{put.Budget.Spool, get.Budget.Spool} {
					if s != "" {
						if left, _ := os.ReadDir(s); len(left) > 0 {
							t.Errorf("the spool holds %v", left)
						}
					}
				}
			})
		}
	}
}

// checkByHand reads an archive as napback-archive(7) says, without our code.
func checkByHand(t *testing.T, dir string, m *archive.Manifest, data []byte) {
	t.Helper()
	base := filepath.Join(dir, m.Name+":"+string(m.Run)+":")
	paths, _ := filepath.Glob(base + "0*")
	var all, sums []byte
	for _, path := range paths {
		part, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
		sum := sha256.Sum256(part)
		sums = append(sums, hex.EncodeToString(sum[:])+"  "+path[len(base):]+"\n"...)
	}
	stored, err := os.ReadFile(base + "SHA256SUMS")
	if err != nil || !bytes.Equal(stored, sums) {
		t.Errorf("SHA256SUMS is\n%swant\n%s%v", stored, sums, err)
	}
	if !bytes.Equal(all, data) {
		t.Error("the chunks in key order are not the stream")
	}
}

func TestOneBufferIsEnough(t *testing.T) {
	st, _ := bucket(t)
	o := putOptions("n", 1000)
	o.Budget.Memory = 1000
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(random(5500)), o); err != nil {
		t.Fatal(err)
	}
	g := getOptions()
	g.Budget.Memory = 1000
	m, _ := archive.Newest(t.Context(), st, "n", nil)
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, g); err != nil || !bytes.Equal(out.Bytes(), random(5500)) {
		t.Fatal(err)
	}
	o.Budget.Memory = 999
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(nil), o); cli.ExitStatus(err) != cli.Usage {
		t.Errorf("a chunk larger than the memory: %v", err)
	}
	g.Budget.Memory = 999
	if err := archive.Get(t.Context(), st, m, io.Discard, g); cli.ExitStatus(err) != cli.Usage {
		t.Errorf("a chunk larger than the memory: %v", err)
	}
}

func TestNewRunSupersedesTheOldOne(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("old"), 10)
	mustPut(t, st, "other", []byte("other"), 10)
	m := mustPut(t, st, "n", []byte("new"), 10)
	for _, key := range keys(t, st) {
		if strings.HasPrefix(key, "n:") && !strings.Contains(key, string(m.Run)) {
			t.Errorf("%s is still there", key)
		}
	}
	if got := mustGet(t, st, "n"); string(got) != "new" {
		t.Errorf("got %q", got)
	}
	if got := mustGet(t, st, "other"); string(got) != "other" {
		t.Errorf("got %q", got)
	}
}

func TestKeepKeepsSupersededRuns(t *testing.T) {
	st, _ := bucket(t)
	old := mustPut(t, st, "n", []byte("old"), 10)
	o := putOptions("n", 10)
	o.Keep = true
	if _, err := archive.Put(t.Context(), st, strings.NewReader("new"), o); err != nil {
		t.Fatal(err)
	}
	infos, err := describeName(t, st, "n", true)
	if err != nil || len(infos) != 2 || infos[0].State != archive.Superseded || infos[1].State != archive.Committed {
		t.Fatalf("got %+v, %v", infos, err)
	}
	m, err := archive.ReadManifest(t.Context(), st, "n", old.Run)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, getOptions()); err != nil || out.String() != "old" {
		t.Errorf("the superseded run reads %q, %v", &out, err)
	}
}

// A committed run that is newer than ours must survive, and so must ours:
// two hosts can store the same name at the same time.
func TestLaterRunOfAnotherProcessSurvives(t *testing.T) {
	st, _ := bucket(t)
	o := putOptions("n", 10)
	o.Finish = func(context.Context) (map[string]string, error) {
		mustPut(t, st, "n", []byte("later"), 10)
		return nil, nil
	}
	m, err := archive.Put(t.Context(), st, strings.NewReader("ours"), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, st, "n"); string(got) != "later" {
		t.Errorf("the name reads %q", got)
	}
	if _, err := archive.ReadManifest(t.Context(), st, "n", m.Run); err != nil {
		t.Error(err)
	}
}

func TestProducerThatFailsCommitsNothing(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("good"), 10)
	before := keys(t, st)
	refused := errors.New("producer failed")
	o := putOptions("n", 10)
	o.Finish = func(context.Context) (map[string]string, error) { return nil, refused }
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(random(95)), o); !errors.Is(err, refused) {
		t.Fatalf("got %v", err)
	}
	broken := io.MultiReader(bytes.NewReader(random(95)), failingReader{})
	if _, err := archive.Put(t.Context(), st, broken, putOptions("n", 10)); err == nil {
		t.Fatal("a read error was taken for the end of the stream")
	}
	if after := keys(t, st); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("left behind: %q", after)
	}
	if got := mustGet(t, st, "n"); string(got) != "good" {
		t.Errorf("got %q", got)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestPutReturnsWhenItsContextEndsThoughTheStreamBlocks(t *testing.T) {
	st, _ := bucket(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("stop")
	in, out := io.Pipe()
	defer out.Close()
	go func() {
		_, _ = out.Write(random(25))
		cancel(reason)
	}()
	if _, err := archive.Put(ctx, st, in, putOptions("n", 10)); !errors.Is(err, reason) && !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if left := keys(t, st); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestGetReturnsWhenItsContextEndsThoughTheReaderBlocks(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	defer in.Close()
	go func() {
		_, _ = in.Read(make([]byte, 5))
		cancel()
	}()
	if err := archive.Get(ctx, st, m, out, getOptions()); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// faulty is a store in which operations can be made to fail.
type faulty struct {
	archive.Store
	put    func(key string) error
	get    func(key string) error
	list   func(q archive.Query) error
	delete func(keys []string) error
}

func (f *faulty) Put(ctx context.Context, obj archive.Upload) error {
	if f.put != nil {
		if err := f.put(obj.Key); err != nil {
			return err
		}
	}
	return f.Store.Put(ctx, obj)
}

func (f *faulty) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if f.get != nil {
		if err := f.get(key); err != nil {
			return nil, 0, err
		}
	}
	return f.Store.Get(ctx, key)
}

func (f *faulty) List(ctx context.Context, q archive.Query) iter.Seq2[archive.Entry, error] {
	if f.list != nil {
		if err := f.list(q); err != nil {
			return func(yield func(archive.Entry, error) bool) { yield(archive.Entry{}, err) }
		}
	}
	return f.Store.List(ctx, q)
}

func (f *faulty) Delete(ctx context.Context, keys ...string) error {
	if f.delete != nil {
		if err := f.delete(keys); err != nil {
			return err
		}
	}
	return f.Store.Delete(ctx, keys...)
}

func TestChunkThatCannotBeStoredFailsTheRun(t *testing.T) {
	st, _ := bucket(t)
	full := errors.New("no space left on device")
	f := &faulty{Store: st, put: func(key string) error {
		if strings.HasSuffix(key, "04") {
			return full
		}
		return nil
	}}
	if _, err := archive.Put(t.Context(), f, bytes.NewReader(random(1000)), putOptions("n", 10)); !errors.Is(err, full) {
		t.Fatalf("got %v", err)
	}
	if left := keys(t, st); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// The answer to the manifest's PUT can be lost. Then the chunks must stay:
// the manifest may be there.
func TestLostCommitLeavesTheArchiveWhole(t *testing.T) {
	st, _ := bucket(t)
	f := &faulty{Store: st}
	f.put = func(key string) error {
		if !strings.HasSuffix(key, ":manifest") {
			return nil
		}
		return errors.New("connection reset")
	}
	_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), putOptions("n", 10))
	if err == nil || !strings.Contains(err.Error(), "not known") {
		t.Fatalf("got %v", err)
	}
	if n := len(keys(t, st)); n != 11 {
		t.Errorf("%d objects are there; want 10 chunks and their sums", n)
	}
	f.put = func(key string) error {
		if strings.HasSuffix(key, ":manifest") {
			return fmt.Errorf("put: %w", archive.ErrPermission)
		}
		return nil
	}
	if _, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), putOptions("refused", 10)); !errors.Is(err, archive.ErrPermission) {
		t.Fatalf("got %v", err)
	}
	if n := len(keys(t, st)); n != 11 {
		t.Errorf("a commit that was refused left its chunks: %d objects", n)
	}
}

// Another host's clean-up could remove chunks of a run that stood still.
func TestChunksThatVanishBeforeTheCommitAreNoticed(t *testing.T) {
	st, _ := bucket(t)
	o := putOptions("n", 10)
	var named archive.Run
	o.Named = func(run archive.Run) error { named = run; return nil }
	o.Finish = func(ctx context.Context) (map[string]string, error) {
		return nil, st.Delete(ctx, archive.ChunkKey("n", named, 3))
	}
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(random(95)), o); err == nil {
		t.Fatal("an archive was committed without one of its chunks")
	}
	if _, err := archive.Newest(t.Context(), st, "n", nil); !errors.Is(err, archive.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsThatMayOnlyCreateAreEnough(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("old"), 10)
	denied := fmt.Errorf("no: %w", archive.ErrPermission)
	f := &faulty{Store: st,
		get:    func(string) error { return denied },
		list:   func(archive.Query) error { return denied },
		delete: func([]string) error { return denied },
	}
	var notes bytes.Buffer
	o := putOptions("n", 10)
	o.Log = &cli.Log{Tool: "t", W: &notes}
	o.Now = func() time.Time { return time.Now().Add(time.Minute) }
	if _, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), o); err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, st, "n"); !bytes.Equal(got, random(95)) {
		t.Error("the archive does not read")
	}
	if !strings.Contains(notes.String(), "older runs") {
		t.Errorf("nothing said that the old run stays: %q", &notes)
	}
}

func TestIncompleteRunsAreRemovedOnlyWhenStale(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		gone bool
	}{{"young", archive.StaleAfter - time.Hour, false}, {"stale", archive.StaleAfter + time.Hour, true}} {
		t.Run(c.name, func(t *testing.T) {
			st, dir := bucket(t)
			o := putOptions("n", 10)
			o.Finish = func(context.Context) (map[string]string, error) { return nil, errors.New("failed") }
			noClean := &faulty{Store: st, delete: func([]string) error { return errors.New("killed") }}
			_, _ = archive.Put(t.Context(), noClean, bytes.NewReader(random(95)), o)
			old := keys(t, st)
			if len(old) != 10 {
				t.Fatalf("left %q", old)
			}
			at := time.Now().Add(-c.age)
			for _, key := range old {
				if err := os.Chtimes(filepath.Join(dir, key), at, at); err != nil {
					t.Fatal(err)
				}
			}
			mustPut(t, st, "n", []byte("new"), 10)
			left := 0
			for _, key := range keys(t, st) {
				for _, o := range old {
					if key == o {
						left++
					}
				}
			}
			if (left == 0) != c.gone {
				t.Errorf("%d of its 10 chunks are left", left)
			}
		})
	}
}

func TestDamageIsFoundBeforeAByteOfItIsWritten(t *testing.T) {
	data := random(95)
	for name, c := range map[string]struct {
		spoil  func(dir string, m *archive.Manifest) error
		intact int // bytes that come out before the damage
	}{
		"flipped bit":     {func(dir string, m *archive.Manifest) error { return flip(chunkPath(dir, m, 4), 3) }, 40},
		"cut chunk":       {func(dir string, m *archive.Manifest) error { return os.Truncate(chunkPath(dir, m, 9), 4) }, 90},
		"empty chunk":     {func(dir string, m *archive.Manifest) error { return os.Truncate(chunkPath(dir, m, 0), 0) }, 0},
		"missing chunk":   {func(dir string, m *archive.Manifest) error { return os.Remove(chunkPath(dir, m, 9)) }, 90},
		"swapped chunks":  {swapChunks, 20},
		"sums of another": {func(dir string, m *archive.Manifest) error { return flip(objectPath(dir, m, "SHA256SUMS"), 3) }, 0},
		"missing sums":    {func(dir string, m *archive.Manifest) error { return os.Remove(objectPath(dir, m, "SHA256SUMS")) }, 0},
		"cut sums":        {func(dir string, m *archive.Manifest) error { return os.Truncate(objectPath(dir, m, "SHA256SUMS"), 160) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			st, dir := bucket(t)
			m := mustPut(t, st, "n", data, 10)
			if err := c.spoil(dir, m); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := archive.Get(t.Context(), st, m, &out, getOptions())
			if cli.ExitStatus(err) != cli.Integrity {
				t.Errorf("get: status %d, %v", cli.ExitStatus(err), err)
			}
			if out.Len() > c.intact || !bytes.HasPrefix(data, out.Bytes()) {
				t.Errorf("%d bytes were written, only %d are intact", out.Len(), c.intact)
			}
			if err := archive.Verify(t.Context(), st, m, getOptions()); cli.ExitStatus(err) != cli.Integrity {
				t.Errorf("verify: status %d, %v", cli.ExitStatus(err), err)
			}
		})
	}
}

func objectPath(dir string, m *archive.Manifest, object string) string {
	return filepath.Join(dir, m.Name+":"+string(m.Run)+":"+object)
}

func chunkPath(dir string, m *archive.Manifest, n int) string {
	return objectPath(dir, m, fmt.Sprintf("%013d", n))
}

func flip(path string, at int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(path, data, 0o600)
}

func swapChunks(dir string, m *archive.Manifest) error {
	a, b := chunkPath(dir, m, 2), chunkPath(dir, m, 5)
	return errors.Join(os.Rename(a, a+"x"), os.Rename(b, a), os.Rename(a+"x", b))
}

// slow counts how many transfers run at the same time.
type slow struct {
	archive.Store
	mu            sync.Mutex
	running, most int
	meet          chan struct{}
}

func (s *slow) enter() {
	s.mu.Lock()
	s.running++
	s.most = max(s.most, s.running)
	if s.running == 3 {
		close(s.meet)
	}
	s.mu.Unlock()
	<-s.meet // nobody goes on until three have come: they must be parallel
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
}

func (s *slow) Put(ctx context.Context, obj archive.Upload) error {
	if obj.Bulk {
		s.enter()
	}
	return s.Store.Put(ctx, obj)
}

func (s *slow) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if strings.Contains(key, ":0") {
		s.enter()
	}
	return s.Store.Get(ctx, key)
}

func TestTransfersRunInParallel(t *testing.T) {
	st, _ := bucket(t)
	put := &slow{Store: st, meet: make(chan struct{})}
	m, err := archive.Put(t.Context(), put, bytes.NewReader(random(30)), putOptions("n", 10))
	if err != nil || put.most != 3 {
		t.Fatalf("%d puts at a time, %v", put.most, err)
	}
	get := &slow{Store: st, meet: make(chan struct{})}
	if err := archive.Get(t.Context(), get, m, io.Discard, getOptions()); err != nil || get.most != 3 {
		t.Fatalf("%d gets at a time, %v", get.most, err)
	}
}

func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
	st, _ := bucket(t)
	// Chunks are dropped: what is measured is what Put itself holds.
	drop := dropping{st}
	measure := func(size int64) uint64 {
		var most uint64
		o := putOptions("n", 1<<20)
		o.Keep = true
		o.Budget = archive.Budget{Concurrency: 2, Memory: 4 << 20}
		o.Stored = func(number, _ int64) {
			if number%16 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		o.Budget.Concurrency = 1
		if _, err := archive.Put(t.Context(), drop, io.LimitReader(zeros{}, size), o); err != nil {
			t.Fatal(err)
		}
		return most
	}
	small, large := measure(16<<20), measure(512<<20)
	if large > small+2<<20 {
		t.Errorf("16 MiB need %d bytes, 512 MiB need %d", small, large)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type dropping struct{ archive.Store }

func (d dropping) Put(_ context.Context, obj archive.Upload) error {
	_, err := io.Copy(io.Discard, obj.Body)
	return err
}

// List says that nothing may be listed, so that nothing is missed.
func (d dropping) List(context.Context, archive.Query) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) { yield(archive.Entry{}, archive.ErrPermission) }
}

// brokenReader is a bucket whose objects end in an error.
type brokenReader struct{ archive.Store }

func (b brokenReader) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	body, size, err := b.Store.Get(ctx, key)
	if strings.Contains(key, ":0000") {
		body = io.NopCloser(iotest.ErrReader(fmt.Errorf("write tcp: %w", syscall.EPIPE)))
	}
	return body, size, err
}

func TestBrokenPipeToTheServerIsNotOneToTheReader(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "x", random(1000), 100)
	err := archive.Get(t.Context(), brokenReader{st}, m, io.Discard, getOptions())
	var output *archive.OutputError
	if !errors.Is(err, syscall.EPIPE) || errors.As(err, &output) {
		t.Errorf("a connection that breaks is %v, of the output: %v", err, output != nil)
	}
}
