package archive

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"napback/internal/cli"
)

// Js3tream is an archive as js3tream stored it: NAME:NUMBER, any number of
// digits, no manifest. Nothing shows that it is whole.
type Js3tream struct {
	Prefix string // of its keys, as they are in the bucket
	chunks []oldChunk
	bytes  int64
}

// oldChunk is a chunk in the least memory, since there may be millions.
type oldChunk struct {
	number int64
	size   int64
	digits int32 // how many its number is written with
}

// oldChunkMemory is what a chunk takes while the list of them grows and is
// sorted, in bytes.
const oldChunkMemory = 3 * 24

// key is the chunk's key.
func (a *Js3tream) key(c oldChunk) string {
	return fmt.Sprintf("%s%0*d", a.Prefix, c.digits, c.number)
}

// Bytes is the length of the stream.
func (a *Js3tream) Bytes() int64 { return a.bytes }

// Chunks is the number of chunks.
func (a *Js3tream) Chunks() int64 { return int64(len(a.chunks)) }

// OpenJs3tream finds the chunks of an archive that js3tream stored under
// name, or under name with a leading slash. A gap in the numbers is an error
// with the code cli.Integrity. The list of chunks may take up to memory bytes.
func OpenJs3tream(ctx context.Context, st Store, name string, memory int64) (*Js3tream, error) {
	for _, candidate := range []string{name, "/" + strings.TrimLeft(name, "/"), strings.TrimLeft(name, "/")} {
		a := &Js3tream{Prefix: candidate + ":"}
		if err := a.list(ctx, st, memory/oldChunkMemory); err != nil || len(a.chunks) > 0 {
			return a, err
		}
	}
	return nil, cli.WithHint(cli.Errorf(cli.NotFound, "js3tream archive %q: %w", name, ErrNotExist),
		"s3ls -a BUCKET lists what other tools stored")
}

// list finds up to most chunks.
func (a *Js3tream) list(ctx context.Context, st Store, most int64) error {
	name := strings.TrimSuffix(a.Prefix, ":")
	for e, err := range st.List(ctx, Query{Prefix: a.Prefix, Delimiter: ":"}) {
		if err != nil {
			return err
		}
		n, ok := foreignNumber(a.Prefix, e.Key)
		if !ok || e.IsPrefix {
			continue
		}
		if a.Chunks() >= most {
			return cli.WithHint(cli.Errorf(cli.Usage, "js3tream archive %q: the list of more than %d chunks does not fit into the memory", name, most),
				"give more --memory")
		}
		if a.bytes += e.Size; a.bytes < 0 {
			return cli.Errorf(cli.Integrity, "js3tream archive %q: more bytes than there can be", name)
		}
		a.chunks = append(a.chunks, oldChunk{n, e.Size, int32(len(e.Key) - len(a.Prefix))})
	}
	slices.SortFunc(a.chunks, func(x, y oldChunk) int { return cmp.Compare(x.number, y.number) })
	for i, c := range a.chunks {
		switch {
		case i > 0 && c.number == a.chunks[i-1].number:
			return cli.Errorf(cli.Integrity, "js3tream archive %q: there are two chunks %d", name, c.number)
		case c.number != int64(i):
			return cli.Errorf(cli.Integrity, "js3tream archive %q: chunk %d is missing", name, i)
		}
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
		largest = max(largest, c.size)
	}
	budget := o.Budget
	budget.Memory -= a.Chunks() * oldChunkMemory
	return emit(ctx, w, a.Chunks(), largest, budget, func(ctx context.Context, c chunk) error {
		old := a.chunks[c.number]
		err := copyChunk(ctx, st, a.key(old), old.size, o.counted(c.buf))
		if err == nil && o.Fetched != nil {
			o.Fetched(c.number, old.size)
		}
		return err
	})
}
