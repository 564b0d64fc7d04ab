package archive

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// errNotWhole marks what a count finds, as opposed to a count that failed.
var errNotWhole = errors.New("not whole")

// notWhole is a finding of a count.
type notWhole struct{ text string }

func (e *notWhole) Error() string        { return e.text }
func (e *notWhole) Is(target error) bool { return target == errNotWhole }

func missing(format string, args ...any) error { return &notWhole{fmt.Sprintf(format, args...)} }

// Whole counts a run's objects by listing them: every chunk with its size, and
// SHA256SUMS. reason says what is missing, and is nil if nothing is; err is a
// listing that failed. Where the credentials may not read the manifest m is
// nil; then the chunks must be numbered without a gap, all but the last of one
// size, and SHA256SUMS as long as they need.
func Whole(ctx context.Context, st Store, name string, run Run, m *Manifest) (reason, err error) {
	inv, err := takeInventory(ctx, st, name, run)
	if err != nil {
		return nil, err
	}
	return inv.whole(m), nil
}

// inventory is what a listing finds of a run.
type inventory struct {
	chunks      int64 // in order from 0, all but the last of one size
	size, last  int64 // bytes of the first chunk and of the last
	sums        int64 // bytes of SHA256SUMS; -1 if there is none
	hasManifest bool  // or a claim
	odd         error // the first chunk that is not what it should be
}

func takeInventory(ctx context.Context, st Store, name string, run Run) (inventory, error) {
	inv := inventory{sums: -1}
	prefix := runPrefix(name, run)
	for e, err := range st.List(ctx, Query{Prefix: prefix}) {
		if err != nil {
			return inv, err
		}
		switch object := strings.TrimPrefix(e.Key, prefix); {
		case object == sumsObject:
			inv.sums = e.Size
		case object == manifestObject:
			inv.hasManifest = true
		case strings.HasPrefix(object, "0") && inv.odd == nil: // as chunksPrefix
			inv.chunk(object, e.Size)
		}
	}
	return inv, nil
}

// chunk counts a chunk. They come in the order of their keys.
func (inv *inventory) chunk(object string, size int64) {
	switch next := chunkNumber(inv.chunks); {
	case object != next && len(object) == chunkDigits && object > next:
		inv.odd = missing("chunk %s is missing", next)
	case object != next:
		inv.odd = missing("%q is not a chunk of it: something else writes to this run", object)
	case inv.chunks > 0 && inv.last != inv.size:
		inv.odd = missing("chunk %s has %d bytes instead of %d", chunkNumber(inv.chunks-1), inv.last, inv.size)
	case inv.chunks == 0:
		inv.size = size
	}
	inv.last = size
	inv.chunks++
}

// whole compares what is there with the manifest, or with itself if m is nil.
func (inv *inventory) whole(m *Manifest) error {
	if m == nil {
		m = &Manifest{Chunks: inv.chunks, ChunkBytes: inv.size, Bytes: max(inv.chunks-1, 0)*inv.size + inv.last}
	}
	switch {
	case inv.odd != nil:
		return inv.odd
	case inv.chunks != m.Chunks:
		return missing("%d chunks are there instead of %d", inv.chunks, m.Chunks)
	case inv.chunks > 1 && inv.size != m.ChunkBytes:
		return missing("its chunks have %d bytes instead of %d", inv.size, m.ChunkBytes)
	case inv.chunks > 0 && (inv.last != m.chunkSize(m.Chunks-1) || inv.last < 1 || inv.last > inv.size):
		return missing("chunk %s has %d bytes instead of %d", chunkNumber(m.Chunks-1), inv.last, m.chunkSize(m.Chunks-1))
	case inv.sums < 0:
		return missing("%s is missing", sumsObject)
	case inv.sums != m.Chunks*sumsLine:
		return missing("%s has %d bytes instead of %d", sumsObject, inv.sums, m.Chunks*sumsLine)
	}
	return nil
}
