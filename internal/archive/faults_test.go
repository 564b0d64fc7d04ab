package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

func TestProducerThatFailsCommitsNothing(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("good"), 10)
	before := keys(t, st)
	refused := errors.New("producer failed")
	o := putOptions("n", 10)
	o.Verdict = func(context.Context) (map[string]string, error) { return nil, refused }
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
	o.Verdict = func(ctx context.Context) (map[string]string, error) {
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
