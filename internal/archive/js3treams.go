package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
)

// ParseJs3tream parses BUCKET, BUCKET:NAME, s3://BUCKET and s3://BUCKET/NAME as
// they name js3tream's archives. Their names may hold what ours may not, such as
// a leading slash or a colon; name is empty for the archive of a bucket whose
// keys are numbers alone. Errors have the code cli.Usage.
func ParseJs3tream(text string) (bucket, name string, err error) {
	bucket, name, named := strings.Cut(text, ":")
	if address, isURL := strings.CutPrefix(text, "s3://"); isURL {
		bucket, name, named = strings.Cut(address, "/")
	}
	if named && name == "" { // a name that was forgotten
		return "", "", cli.UsageErrorf("address %q: want BUCKET:NAME, or BUCKET for an archive without a name", text)
	}
	if bucket, _, err = splitBucket(bucket); err != nil {
		return "", "", cli.WithCode(cli.Usage, fmt.Errorf("address %q: %w", text, err))
	}
	return bucket, name, nil
}

// Js3treamInfo is what a listing shows of an archive that js3tream stored.
type Js3treamInfo struct {
	Name     string // as it is in the bucket; empty if its keys are numbers alone
	Chunks   int64
	Bytes    int64
	Modified time.Time // when its last chunk was stored
	Err      error     // why it is damaged, as far as the numbers show
}

// js3treamCount counts an archive's chunks, which come in any order.
type js3treamCount struct {
	Js3treamInfo
	written        digits
	mixed, evident bool
	largest        int64
	zero           bool
}

// add counts a chunk whose key ends with number. Without a name it leaves out
// numbers that are no chunks.
func (c *js3treamCount) add(e Entry, number string, n int64) {
	fits, other := c.written.add(number)
	if other && c.Name == "" {
		return
	}
	c.mixed = c.mixed || !fits
	c.Chunks++
	if c.Bytes += e.Size; c.Bytes < 0 {
		c.Bytes, c.mixed = 0, true
	}
	c.zero = c.zero || n == 0
	c.evident = c.evident || number[0] == '0'
	c.largest = max(c.largest, n)
	if e.Modified.After(c.Modified) {
		c.Modified = e.Modified
	}
}

// info judges what was counted.
func (c *js3treamCount) info() Js3treamInfo {
	switch {
	case c.mixed:
		c.Err = errors.New(errMixed)
	case !c.zero:
		c.Err = errors.New("chunk 0 is missing")
	case c.largest >= c.Chunks:
		c.Err = fmt.Errorf("chunks are missing: %d of %d", c.largest+1-c.Chunks, c.largest+1)
	}
	return c.Js3treamInfo
}

// Js3treams yields the archives of js3tream whose names begin with prefix, in
// the order in which they end in a listing. It walks every object of these
// names, and without a prefix of the bucket. What s3put stored is none of them,
// nor are objects that end in a number if none of it is chunk 0 or is written
// with zeros before: nothing shows that js3tream stored these.
func Js3treams(ctx context.Context, st Store, prefix string) iter.Seq2[Js3treamInfo, error] {
	return func(yield func(Js3treamInfo, error) bool) {
		// One name may begin with another and a colon; then their keys mix.
		var open []*js3treamCount
		// finish yields those that end before key.
		finish := func(key string) bool {
			for i := len(open) - 1; i >= 0; i-- {
				c := open[i]
				if key != "" && key < js3treamEnd(c.Name) {
					continue
				}
				open = slices.Delete(open, i, i+1)
				if c.evident && !yield(c.info(), nil) {
					return false
				}
			}
			return true
		}
		for e, err := range st.List(ctx, Query{Prefix: prefix}) {
			if err != nil {
				yield(Js3treamInfo{}, err)
				return
			}
			if !finish(e.Key) {
				return
			}
			name, number, n, ok := cutJs3tream(e.Key)
			if !ok || name == "" && prefix != "" {
				continue
			}
			i := slices.IndexFunc(open, func(c *js3treamCount) bool { return c.Name == name })
			if i < 0 {
				i = len(open)
				open = append(open, &js3treamCount{Js3treamInfo: Js3treamInfo{Name: strings.Clone(name)}})
			}
			open[i].add(e, number, n)
		}
		finish("")
	}
}

// Js3treamNames yields the names alone that begin with prefix, in their order. It
// walks no chunks: keys that share all up to their first :0 come as one, and so
// begin the number of chunk 0 and all numbers with zeros before.
func Js3treamNames(ctx context.Context, st Store, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":0"}) {
			if err != nil {
				yield("", err)
				return
			}
			name, isName := strings.CutSuffix(e.Key, ":0")
			if e.IsPrefix && isName && name != "" && !isRunName(name) && !yield(name, nil) {
				return
			}
		}
	}
}

// js3treamEnd is behind all chunks of a name.
func js3treamEnd(name string) string {
	if name == "" {
		return ":"
	}
	return name + "::"
}

// cutJs3tream cuts a key that js3tream may have stored.
func cutJs3tream(key string) (name, number string, n int64, ok bool) {
	prefix := ""
	if i := strings.LastIndexByte(key, ':'); i >= 0 {
		name, prefix = key[:i], key[:i+1]
	}
	n, ok = foreignNumber(prefix, key)
	return name, key[len(prefix):], n, ok && (prefix == "" || name != "") && !isRunName(name)
}

// isRunName tells whether a name is NAME:RUN, under which are s3put's objects.
func isRunName(name string) bool {
	name, run, ok := cutLast(name)
	if !ok || CheckName(name) != nil {
		return false
	}
	_, err := ParseRun(run)
	return err == nil
}

// FindJs3tream finds the archive of exactly this name to remove it. It refuses
// what Js3treams would not show.
func FindJs3tream(ctx context.Context, st Store, name string) (Js3treamInfo, error) {
	what := describeJs3tream(name)
	if isRunName(name) {
		return Js3treamInfo{}, cli.WithHint(cli.UsageErrorf("%s: that is a run that s3put stored", what), "without --js3tream it is removed as one")
	}
	count := &js3treamCount{Js3treamInfo: Js3treamInfo{Name: name}}
	prefix := js3treamPrefix(name)
	for e, err := range js3treamChunks(ctx, st, prefix, "", new(digits)) {
		if err != nil {
			return Js3treamInfo{}, err
		}
		n, _ := foreignNumber(prefix, e.Key)
		count.add(e, e.Key[len(prefix):], n)
	}
	switch {
	case count.Chunks == 0:
		return Js3treamInfo{}, noJs3tream(name)
	case !count.evident:
		return Js3treamInfo{}, cli.Errorf(cli.Integrity, "%s: there is no chunk 0, and nothing else shows that js3tream stored what is there", what)
	case count.mixed:
		return Js3treamInfo{}, cli.Errorf(cli.Integrity, "%s: %s: somebody else may have stored some of it", what, errMixed)
	}
	info := count.info()
	if info.Err != nil && count.written.padded < manyDigits { // some may be years, or the like
		return Js3treamInfo{}, cli.Errorf(cli.Integrity, "%s: %w, and its numbers are so short that somebody else may have stored some of it", what, info.Err)
	}
	return info, nil
}

func js3treamPrefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ":"
}

// RemoveJs3tream removes the chunks of the archive of exactly this name, and
// nothing else. The first chunk goes first and alone: what is left by an
// interruption is evidently damaged, where an archive without its end would
// look whole.
func RemoveJs3tream(ctx context.Context, st Store, name string) error {
	if _, err := FindJs3tream(ctx, st, name); err != nil {
		return err
	}
	prefix := js3treamPrefix(name)
	most, written := 1, new(digits)
	for after := ""; ; {
		var keys []string
		for e, err := range js3treamChunks(ctx, st, prefix, after, written) {
			if err != nil {
				return err
			}
			after = e.Key
			if keys = append(keys, e.Key); len(keys) == most {
				break
			}
		}
		if len(keys) == 0 {
			return nil
		}
		if err := st.Delete(ctx, keys...); err != nil {
			return fmt.Errorf("%s: some chunks are left: %w", describeJs3tream(name), err)
		}
		most = removeBatch
	}
}
