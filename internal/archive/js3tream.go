package archive

import (
	"context"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"napback/internal/cli"
)

// Js3tream is an archive as js3tream stored it: NAME:NUMBER, any number of
// digits, no manifest. Nothing shows that it is whole.
type Js3tream struct {
	Prefix string // of its keys, as they are in the bucket
	chunks []Entry
}

// Bytes is the length of the stream.
func (a *Js3tream) Bytes() (n int64) {
	for _, c := range a.chunks {
		n += c.Size
	}
	return n
}

// Chunks is the number of chunks.
func (a *Js3tream) Chunks() int64 { return int64(len(a.chunks)) }

// OpenJs3tream finds the chunks of an archive that js3tream stored under
// name, or under name with a leading slash. A gap in the numbers is an error
// with the code cli.Integrity.
func OpenJs3tream(ctx context.Context, st Store, name string) (*Js3tream, error) {
	for _, candidate := range []string{name, "/" + strings.TrimLeft(name, "/"), strings.TrimLeft(name, "/")} {
		a := &Js3tream{Prefix: candidate + ":"}
		if err := a.list(ctx, st); err != nil || len(a.chunks) > 0 {
			return a, err
		}
	}
	return nil, cli.WithHint(cli.Errorf(cli.NotFound, "js3tream archive %q: %w", name, ErrNotExist),
		"s3ls -a BUCKET lists what other tools stored")
}

func (a *Js3tream) list(ctx context.Context, st Store) error {
	type numbered struct {
		n int64
		Entry
	}
	var found []numbered
	for e, err := range st.List(ctx, Query{Prefix: a.Prefix, Delimiter: ":"}) {
		if err != nil {
			return err
		}
		if n, ok := foreignNumber(a.Prefix, e.Key); ok && !e.IsPrefix {
			found = append(found, numbered{n, e})
		}
	}
	slices.SortFunc(found, func(x, y numbered) int { return int(x.n - y.n) })
	for i, f := range found {
		if f.n != int64(i) {
			return cli.Errorf(cli.Integrity, "js3tream archive %q: chunk %d is missing", strings.TrimSuffix(a.Prefix, ":"), i)
		}
		a.chunks = append(a.chunks, f.Entry)
	}
	return nil
}

// foreignNumber returns the number of a chunk that js3tream stored.
func foreignNumber(prefix, key string) (int64, bool) {
	digits, ok := strings.CutPrefix(key, prefix)
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

// Get writes the stream to w, chunk by chunk in order. The size of each chunk
// is checked before it is written; there is nothing else to check it by.
func (a *Js3tream) Get(ctx context.Context, st Store, w io.Writer, o GetOptions) error {
	var largest int64 = 1
	for _, c := range a.chunks {
		largest = max(largest, c.Size)
	}
	buffers, err := o.Budget.buffers(largest)
	if err != nil {
		return err
	}
	w, release := writeUntil(ctx, w)
	defer release()
	free := newPool(buffers, largest, o.Budget.Spool)
	defer free.close()
	return InOrder(ctx, min(max(o.Budget.Concurrency, 1), buffers),
		func(ctx context.Context) iter.Seq2[chunk, error] {
			return buffered(ctx, a.Chunks(), free)
		},
		func(ctx context.Context, c chunk) (chunk, error) {
			return c, a.fetch(ctx, st, c, o.Fetched)
		},
		func(c chunk) error { return emitTo(w, free, c) })
}

func (a *Js3tream) fetch(ctx context.Context, st Store, c chunk, done func(int64, int64)) error {
	e := a.chunks[c.number]
	body, size, err := st.Get(ctx, e.Key)
	if err != nil {
		return err
	}
	defer body.Close()
	if size != e.Size {
		return cli.Errorf(cli.Integrity, "chunk %q has %d bytes instead of %d", e.Key, size, e.Size)
	}
	got, err := io.Copy(c.buf, io.LimitReader(body, size))
	if err != nil {
		return err
	}
	if got != size {
		return cli.Errorf(cli.Integrity, "chunk %q has %d bytes instead of %d", e.Key, got, size)
	}
	if done != nil {
		done(c.number, got)
	}
	return nil
}
