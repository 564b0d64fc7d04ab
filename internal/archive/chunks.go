package archive

import (
	"context"
	"iter"
	"strings"
)

// ChunkInfo is a chunk of a run as a listing finds it.
type ChunkInfo struct {
	Key     string
	Number  int64
	Size    int64  // bytes; what it should be if the chunk is missing
	SHA256  string // hex, as SHA256SUMS says; empty if there are no sums
	Missing bool   // the manifest counts it, but it is not there
}

// Chunks yields the chunks of a run in order, with those that should be there
// but are not.
func Chunks(ctx context.Context, st Store, info RunInfo) iter.Seq2[ChunkInfo, error] {
	return func(yield func(ChunkInfo, error) bool) {
		var sums []byte
		if info.Manifest != nil {
			var err error
			if sums, err = readSums(ctx, st, info.Manifest); err != nil {
				yield(ChunkInfo{}, err)
				return
			}
		}
		describe := func(n, size int64, missing bool) ChunkInfo {
			c := ChunkInfo{Key: ChunkKey(info.Name, info.Run, n), Number: n, Size: size, Missing: missing}
			if start := n * sumsLine; start < int64(len(sums)) {
				c.SHA256 = string(sums[start:][:64])
			}
			return c
		}
		var next int64
		missing := func(until int64) bool {
			for ; info.Manifest != nil && next < until; next++ {
				if !yield(describe(next, info.Manifest.chunkSize(next), true), nil) {
					return false
				}
			}
			return true
		}
		prefix := runPrefix(info.Name, info.Run)
		for e, err := range st.List(ctx, Query{Prefix: chunksPrefix(info.Name, info.Run)}) {
			if err != nil {
				yield(ChunkInfo{}, err)
				return
			}
			n, ok := foreignNumber(prefix, e.Key)
			if !ok {
				continue
			}
			if !missing(n) || !yield(describe(n, e.Size, false), nil) {
				return
			}
			next = n + 1
		}
		if info.Manifest != nil {
			missing(info.Manifest.Chunks)
		}
	}
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
// chunk of: NAME:NUMBER.
func Js3treamName(key string) (name string, ok bool) {
	name, _, ok = cutLast(key)
	if !ok || name == "" {
		return "", false
	}
	_, ok = foreignNumber(name+":", key)
	return name, ok
}

// cutLast cuts a key at its last colon.
func cutLast(key string) (before, after string, ok bool) {
	i := strings.LastIndexByte(key, ':')
	if i < 0 {
		return "", "", false
	}
	return key[:i], key[i+1:], true
}
