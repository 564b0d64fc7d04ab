package archive

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"napback/internal/cli"
)

// Js3tream is an archive as js3tream stored it: NAME:NUMBER, or NUMBER alone in
// a bucket of its own, any number of digits, no manifest. Nothing shows that it
// is whole.
type Js3tream struct {
	Prefix string // of its keys, as they are in the bucket: NAME: or nothing
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
// name, or under name with a leading slash; with no name those whose keys are
// numbers alone. A gap in the numbers is an error with the code
// cli.Integrity. The list of chunks may take up to memory bytes.
func OpenJs3tream(ctx context.Context, st Store, name string, memory int64) (*Js3tream, error) {
	prefixes := []string{""}
	if name != "" {
		prefixes = []string{name + ":", "/" + strings.TrimLeft(name, "/") + ":", strings.TrimLeft(name, "/") + ":"}
	}
	for _, prefix := range prefixes {
		a := &Js3tream{Prefix: prefix}
		if err := a.list(ctx, st, memory/oldChunkMemory); err != nil || len(a.chunks) > 0 {
			return a, err
		}
	}
	return nil, noJs3tream(name)
}

// noJs3tream is the error that there is no such archive.
func noJs3tream(name string) error {
	return cli.WithHint(cli.Errorf(cli.NotFound, "%s: %w", describeJs3tream(name), ErrNotExist),
		"s3ls --js3tream BUCKET lists what js3tream stored")
}

// describeJs3tream names an archive in errors.
func describeJs3tream(name string) string {
	if name == "" {
		return "js3tream archive without a name"
	}
	return fmt.Sprintf("js3tream archive %q", name)
}

// list finds up to most chunks.
func (a *Js3tream) list(ctx context.Context, st Store, most int64) error {
	what := describeJs3tream(strings.TrimSuffix(a.Prefix, ":"))
	for e, err := range js3treamChunks(ctx, st, a.Prefix, "", new(digits)) {
		if err != nil {
			return err
		}
		n, _ := foreignNumber(a.Prefix, e.Key)
		if a.Chunks() >= most {
			return cli.WithHint(cli.Errorf(cli.Usage, "%s: the list of more than %d chunks does not fit into the memory", what, most),
				"give more --memory")
		}
		if a.bytes += e.Size; a.bytes < 0 {
			return cli.Errorf(cli.Integrity, "%s: more bytes than there can be", what)
		}
		a.chunks = append(a.chunks, oldChunk{n, e.Size, int32(len(e.Key) - len(a.Prefix))})
	}
	slices.SortFunc(a.chunks, func(x, y oldChunk) int { return cmp.Compare(x.number, y.number) })
	for i, c := range a.chunks {
		switch {
		case i > 0 && c.number == a.chunks[i-1].number:
			return cli.Errorf(cli.Integrity, "%s: there are two chunks %d", what, c.number)
		case c.number != int64(i):
			return cli.Errorf(cli.Integrity, "%s: chunk %d is missing", what, i)
		}
	}
	return nil
}

// js3treamChunks yields the objects behind after whose keys are prefix and a
// number. Without a prefix, which all objects of a bucket share, it leaves out
// numbers that are no chunks as written tells.
func js3treamChunks(ctx context.Context, st Store, prefix, after string, written *digits) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":", After: after}) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if prefix == "" && e.Key > ":" { // behind all numbers
				return
			}
			if _, ok := foreignNumber(prefix, e.Key); !ok || e.IsPrefix {
				continue
			}
			if prefix == "" {
				switch fits, other := written.add(e.Key); {
				case other:
					continue
				case !fits:
					yield(Entry{}, cli.Errorf(cli.Integrity, "%s: %s", describeJs3tream(""), errMixed))
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

const errMixed = "its numbers are not written alike"

// digits tells how the numbers of an archive are written: all with the same
// number of digits, with zeros before, or all without.
type digits struct {
	known  bool
	padded int // the number of digits; 0 if there are no zeros before
}

// manyDigits are so many that an archive's numbers never fill them.
const manyDigits = 10

// add takes a number, in the order of a listing, and tells whether it is
// written as those before were; or whether it has no zeros where all chunks
// have some, as a year or a time has that another tool may use for a key.
func (d *digits) add(number string) (fits, other bool) {
	zeros := len(number) > 1 && number[0] == '0'
	if !d.known {
		d.known = true
		if zeros {
			d.padded = len(number)
		}
	}
	if d.padded == 0 {
		return !zeros, false
	}
	fits = len(number) == d.padded
	return fits, !zeros && (!fits || d.padded >= manyDigits)
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
