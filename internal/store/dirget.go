package store

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// Get implements archive.Store.
func (b dirBucket) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	var file *os.File
	var size int64
	var modified time.Time
	err := b.policy.do(ctx, request{"get object", key}, func(ctx context.Context) *failure {
		bucket, f := b.open(ctx, b.name)
		if f != nil {
			return f
		}
		defer bucket.Close()
		name, err := keyPath(key)
		if err != nil {
			return &failure{cause: noObject()}
		}
		file, size, err = openObject(bucket, name)
		if errors.Is(err, errNotDir) || errors.Is(err, errNotRegular) {
			return &failure{cause: noObject()}
		}
		if err != nil {
			return b.failure(err)
		}
		info, err := file.Stat()
		if err != nil {
			file.Close()
			return b.failure(err)
		}
		modified = info.ModTime()
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return &dirReader{ctx: ctx, request: request{"get object", key}, file: file, limit: b.limit, modified: modified}, size, nil
}

// errNotRegular: there is something else than a file.
var errNotRegular = errors.New("not a regular file")

// openObject opens a file for reading and returns its size. Opening waits for
// nobody, as that of a named pipe would.
func openObject(bucket *os.Root, name string) (*os.File, int64, error) {
	file, err := bucket.OpenFile(name, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// openDirectory opens a directory, and nothing else.
func openDirectory(root *os.Root, name string) (*os.File, error) {
	dir, err := root.OpenFile(name, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, err
	}
	info, err := dir.Stat()
	if err == nil && !info.IsDir() {
		err = errNotDir
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// dirReader reads an object within the bandwidth limit, and no longer than
// its context lasts.
type dirReader struct {
	ctx     context.Context
	request request
	file    *os.File
	limit   *limiter
	// modified is when the object was stored.
	modified time.Time
}

// Modified implements archive.Dated.
func (r *dirReader) Modified() time.Time { return r.modified }

func (r *dirReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, r.request.failed(err)
	}
	n, err := r.file.Read(p[:r.limit.clip(len(p))])
	if waitErr := r.limit.wait(r.ctx, n); waitErr != nil && n > 0 {
		return n, r.request.failed(waitErr)
	}
	if err != nil && err != io.EOF {
		return n, r.request.failed(dirCause(err))
	}
	return n, err
}

func (r *dirReader) Close() error { return r.file.Close() }
