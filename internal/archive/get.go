package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"

	"napback/internal/cli"
)

// GetOptions say how an archive is fetched.
type GetOptions struct {
	Budget Budget
	// Fetched, if not nil, is called for each chunk that has been
	// verified, by several goroutines.
	Fetched func(number, size int64)
	// Moved, if not nil, is called as bytes of chunks come in, by several
	// goroutines.
	Moved func(n int64)
}

// counted is w, with what is written to it told to Moved.
func (o GetOptions) counted(w io.Writer) io.Writer {
	if o.Moved == nil {
		return w
	}
	return io.MultiWriter(w, countedWriter(o.Moved))
}

// Get writes the stream of the archive that m describes to w. Each chunk is
// checked against the manifest before a byte of it is written. Errors about
// missing, cut or changed chunks have the code cli.Integrity.
//
// Get returns promptly when ctx ends, even if w blocks; w must not be used
// again after an error.
func Get(ctx context.Context, st Store, m *Manifest, w io.Writer, o GetOptions) error {
	sums, err := readSums(ctx, st, m, o.Budget.Memory)
	if err != nil {
		return err
	}
	budget := o.Budget
	budget.Memory -= sumsCost(m.Chunks)
	// The only chunk may be much smaller than chunks could be.
	return emit(ctx, w, m.Chunks, min(m.ChunkBytes, max(m.Bytes, 1)), budget, func(ctx context.Context, c chunk) error {
		return fetch(ctx, st, m, sums, c.number, o.counted(c.buf), o.Fetched)
	})
}

// emit fetches chunks of at most size bytes, several at a time, and writes them to
// w in order.
func emit(ctx context.Context, w io.Writer, chunks, size int64, b Budget, fetch func(context.Context, chunk) error) error {
	buffers, err := b.buffers(size)
	if err != nil {
		return err
	}
	out, release := untilEnd(ctx, w.Write)
	defer release()
	free := newPool(buffers, size, b.Spool)
	defer free.close()
	return InOrder(ctx, min(max(b.Concurrency, 1), buffers),
		func(ctx context.Context) iter.Seq2[chunk, error] { return buffered(ctx, chunks, free) },
		func(ctx context.Context, c chunk) (chunk, error) { return c, fetch(ctx, c) },
		func(c chunk) error { return emitTo(out, free, c) })
}

// emitTo writes a verified chunk and frees its buffer.
func emitTo(w io.Writer, free *pool, c chunk) error {
	defer free.put(c.buf)
	if _, err := io.Copy(w, c.buf.reader()); err != nil {
		return &OutputError{err}
	}
	return nil
}

// OutputError is a failure to write the stream to where the caller wants it,
// as opposed to one to read it from the store.
type OutputError struct{ Err error }

func (e *OutputError) Error() string { return "write the stream: " + e.Err.Error() }

// Unwrap returns the writer's own error.
func (e *OutputError) Unwrap() error { return e.Err }

// Verify checks every chunk of the archive that m describes and writes
// nothing. It holds no chunk in memory.
func Verify(ctx context.Context, st Store, m *Manifest, o GetOptions) error {
	sums, err := readSums(ctx, st, m, o.Budget.Memory)
	if err != nil {
		return err
	}
	return InOrder(ctx, max(o.Budget.Concurrency, 1),
		func(context.Context) iter.Seq2[int64, error] { return numbers(m) },
		func(ctx context.Context, n int64) (struct{}, error) {
			return struct{}{}, fetch(ctx, st, m, sums, n, o.counted(io.Discard), o.Fetched)
		},
		func(struct{}) error { return nil })
}

// numbers yields the numbers of m's chunks.
func numbers(m *Manifest) iter.Seq2[int64, error] {
	return func(yield func(int64, error) bool) {
		for n := range m.Chunks {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// buffered yields the numbers of chunks, each with a buffer for it.
// Buffers are handed out in the order of the chunks, so that the chunk that
// is to be written next always has one.
func buffered(ctx context.Context, chunks int64, free *pool) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for n := range chunks {
			buf, err := free.get(ctx)
			if !yield(chunk{n, buf}, err) || err != nil {
				return
			}
		}
	}
}

// fetch reads a chunk into w and checks it.
func fetch(ctx context.Context, st Store, m *Manifest, sums *sumList, n int64, w io.Writer, done func(int64, int64)) error {
	key, size := ChunkKey(m.Name, m.Run, n), m.chunkSize(n)
	hash := sha256.New()
	err := copyChunk(ctx, st, key, size, io.MultiWriter(w, hash))
	if errors.Is(err, ErrNotExist) {
		return cli.WithHint(cli.Errorf(cli.Integrity, "chunk %q is missing", key),
			"if the archive was replaced meanwhile, read it again")
	}
	if err != nil {
		return err
	}
	if sum := hash.Sum(nil); !bytes.Equal(sum, sums.at(n)) {
		return cli.Errorf(cli.Integrity, "chunk %q is damaged: its SHA-256 is %x", key, sum)
	}
	if done != nil {
		done(n, size)
	}
	return nil
}

// copyChunk copies an object to w that must have that many bytes.
func copyChunk(ctx context.Context, st Store, key string, want int64, w io.Writer) error {
	body, size, err := st.Get(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close()
	if size == want {
		size, err = io.Copy(w, io.LimitReader(body, want))
	}
	if err == nil && size != want {
		err = cli.Errorf(cli.Integrity, "chunk %q has %d bytes instead of %d", key, size, want)
	}
	return err
}
