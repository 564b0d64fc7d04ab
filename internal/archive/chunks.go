package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"strings"
)

// ChunkInfo is a chunk of a run as a listing finds it, a gap in the chunks, or
// something that has no place among them.
type ChunkInfo struct {
	Key    string
	Number int64
	// Last is the number of the last chunk of a gap; without one it is
	// Number.
	Last    int64
	Size    int64  // bytes; of a gap, what should be there
	SHA256  string // hex, as SHA256SUMS says; empty if there are no sums, and for a gap of several chunks
	Missing bool   // the manifest counts it, but it is not there
	Foreign bool   // it is there, but the manifest does not count it, or it is named as no chunk is; its Number is -1 where it has none
}

// listedSums is how much memory the sums of a run that is listed may take, in
// bytes. A run of more chunks, 50 TB and more, is listed without.
const listedSums = 64 << 20

// Chunks yields the chunks of a run in order, with those that should be there
// but are not: a line for each gap, however wide. It holds no more than the
// run's sums.
func Chunks(ctx context.Context, st Store, info RunInfo) iter.Seq2[ChunkInfo, error] {
	return func(yield func(ChunkInfo, error) bool) {
		w := &chunkWalk{info: info, yield: yield}
		if m := info.Manifest; m != nil && m.Chunks <= listedSums/sha256.Size {
			var err error
			if w.sums, err = readSums(ctx, st, info.Manifest, listedSums); err != nil {
				yield(ChunkInfo{}, err)
				return
			}
		}
		prefix := runPrefix(info.Name, info.Run)
		for e, err := range st.List(ctx, Query{Prefix: chunksPrefix(info.Name, info.Run)}) {
			if err != nil {
				yield(ChunkInfo{}, err)
				return
			}
			n, isNumber := foreignNumber(prefix, e.Key)
			if !w.found(e, n, isNumber) {
				return
			}
		}
		if m := info.Manifest; m != nil {
			w.missing(m.Chunks)
		}
	}
}

// chunkWalk goes through the chunks that there are and that there should be.
// Its methods return false when nobody wants more.
type chunkWalk struct {
	info  RunInfo
	sums  *sumList // nil without a manifest
	next  int64    // the chunk that comes next
	yield func(ChunkInfo, error) bool
}

// found yields an object that a listing has found.
func (w *chunkWalk) found(e Entry, n int64, isNumber bool) bool {
	m := w.info.Manifest
	if !isNumber {
		n = -1
	}
	if !isNumber || e.Key != ChunkKey(w.info.Name, w.info.Run, n) || m != nil && n >= m.Chunks {
		return w.yield(ChunkInfo{Key: e.Key, Number: n, Last: n, Size: e.Size, Foreign: true}, nil)
	}
	if !w.missing(n) {
		return false
	}
	w.next = n + 1
	return w.yield(ChunkInfo{Key: e.Key, Number: n, Last: n, Size: e.Size, SHA256: w.sum(n)}, nil)
}

// missing yields what there should be before chunk number until.
func (w *chunkWalk) missing(until int64) bool {
	m, first := w.info.Manifest, w.next
	if m == nil || first >= until {
		return true
	}
	gap := ChunkInfo{
		Key: ChunkKey(w.info.Name, w.info.Run, first), Number: first, Last: until - 1, Missing: true,
		Size: (until-1-first)*m.ChunkBytes + m.chunkSize(until-1),
	}
	if gap.Last == first {
		gap.SHA256 = w.sum(first)
	}
	w.next = until
	return w.yield(gap, nil)
}

func (w *chunkWalk) sum(n int64) string {
	if w.sums == nil {
		return ""
	}
	return hex.EncodeToString(w.sums.at(n))
}

// IsOurs reports whether a key is that of an object that s3put stores.
func IsOurs(key string) bool {
	rest, object, ok := cutLast(key)
	if !ok {
		return false
	}
	name, run, ok := cutLast(rest)
	if !ok || CheckName(name) != nil {
		return false
	}
	if _, err := ParseRun(run); err != nil {
		return false
	}
	return object == manifestObject || object == signatureObject || object == sumsObject ||
		len(object) == chunkDigits && strings.Trim(object, "0123456789") == ""
}

// Js3treamName returns the name of the js3tream archive that key may be a
// chunk of: NAME:NUMBER, or "" for NUMBER with leading zeros.
func Js3treamName(key string) (name string, ok bool) {
	name, number, _, ok := cutJs3tream(key)
	return name, ok && (name != "" || len(number) > 1 && number[0] == '0')
}

// cutLast cuts a key at its last colon.
func cutLast(key string) (before, after string, ok bool) {
	i := strings.LastIndexByte(key, ':')
	if i < 0 {
		return "", "", false
	}
	return key[:i], key[i+1:], true
}
