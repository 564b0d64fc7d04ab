package store

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"napback/internal/archive"
)

// List implements archive.Store. It holds the names of one directory at a
// time, and of those above it, never of the whole bucket.
func (b dirBucket) List(ctx context.Context, q archive.Query) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		r := request{"list bucket", b.name}
		bucket, f := b.open(b.name)
		if f != nil {
			yield(archive.Entry{}, r.failed(f.cause))
			return
		}
		defer bucket.Close()
		w := walk{ctx: ctx, bucket: bucket, query: q, request: r, service: b.dirService, yield: yield}
		// The part of the prefix up to its last slash is a directory:
		// nothing outside of it has to be read.
		dir, _ := path.Split(q.Prefix)
		if dir != "" {
			if _, err := keyPath(strings.TrimSuffix(dir, "/")); err != nil {
				return
			}
		}
		w.dir(dir)
	}
}

// walk is one listing.
type walk struct {
	ctx     context.Context
	bucket  *os.Root
	query   archive.Query
	request request
	service *dirService
	yield   func(archive.Entry, error) bool
	rolled  string // the common prefix that was yielded last
}

// dir walks the directory whose keys begin with at (empty, or ending in a
// slash) in the byte order of the keys. A directory sorts as its name with a
// slash, because that is what its keys begin with: a-b, a.b, a/b. It returns
// false when the listing is over.
func (w *walk) dir(at string) bool {
	names, err := w.read(at)
	if err != nil {
		w.yield(archive.Entry{}, err)
		return false
	}
	for _, name := range names {
		key := at + name
		if err := w.ctx.Err(); err != nil {
			w.yield(archive.Entry{}, w.request.failed(err))
			return false
		}
		if w.rolled != "" && strings.HasPrefix(key, w.rolled) {
			continue
		}
		if !strings.HasSuffix(name, "/") {
			if !w.file(key) {
				return false
			}
			continue
		}
		if w.mayHold(key) && !w.dir(key) {
			return false
		}
	}
	return true
}

// mayHold tells whether a directory can hold a key that is asked for.
func (w *walk) mayHold(dir string) bool {
	if !strings.HasPrefix(dir, w.query.Prefix) && !strings.HasPrefix(w.query.Prefix, dir) {
		return false
	}
	return dir > w.query.After || strings.HasPrefix(w.query.After, dir)
}

// read returns the names in a directory, those of directories with a slash,
// sorted. A directory that has vanished is empty.
func (w *walk) read(at string) ([]string, error) {
	where := "."
	if at != "" {
		where = filepath.FromSlash(strings.TrimSuffix(at, "/"))
	}
	var names []string
	err := w.service.policy.do(w.ctx, w.request, func(ctx context.Context) *failure {
		names = nil
		dir, err := openDirectory(w.bucket, where)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
			return nil
		}
		if err != nil {
			return w.service.failure(err)
		}
		defer dir.Close()
		entries, err := dir.ReadDir(-1)
		if errors.Is(err, errNotDir) {
			return nil
		}
		for _, e := range entries {
			switch {
			case at == "" && e.Name() == tmpDir:
			case e.IsDir():
				names = append(names, e.Name()+"/")
			case e.Type().IsRegular():
				names = append(names, e.Name())
			}
		}
		return w.service.failure(err)
	})
	slices.Sort(names)
	return names, err
}

// file yields a key, or the common prefix that it is rolled into.
func (w *walk) file(key string) bool {
	q := w.query
	if !strings.HasPrefix(key, q.Prefix) || key <= q.After && q.After != "" {
		return true
	}
	if q.Delimiter != "" {
		rest := key[len(q.Prefix):]
		if i := strings.Index(rest, q.Delimiter); i >= 0 {
			w.rolled = key[:len(q.Prefix)+i+len(q.Delimiter)]
			return w.yield(archive.Entry{Key: w.rolled, IsPrefix: true}, nil)
		}
	}
	info, err := w.bucket.Lstat(filepath.FromSlash(key))
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		w.yield(archive.Entry{}, w.request.failed(dirCause(err)))
		return false
	}
	return w.yield(archive.Entry{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil)
}
