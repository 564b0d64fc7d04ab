package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// Get implements archive.Store.
func (b dirBucket) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r := &dirReader{ctx: ctx, request: request{"get object", key}, limit: b.limit}
	err := b.policy.do(ctx, r.request, func(ctx context.Context) *failure {
		bucket, f := b.open(b.name)
		if f != nil {
			return f
		}
		defer bucket.Close()
		name, err := keyPath(key)
		if err != nil {
			return &failure{cause: noObject()}
		}
		r.file, r.info, err = openFile(bucket, name, fs.FileMode.IsRegular, errNotRegular)
		if errors.Is(err, errNotDir) || errors.Is(err, errNotRegular) {
			return &failure{cause: noObject()}
		}
		return b.failure(err)
	})
	if err != nil {
		return nil, 0, err
	}
	return r, r.info.Size(), nil
}

// errNotRegular: there is something else than a file.
var errNotRegular = errors.New("not a regular file")

// openFile opens a file for reading if its mode is what is wanted, else otherwise
// is the error. Opening waits for nobody, as that of a named pipe would.
func openFile(root *os.Root, name string, wanted func(fs.FileMode) bool, otherwise error) (*os.File, fs.FileInfo, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|openNoWait, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !wanted(info.Mode()) {
		err = otherwise
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// openDirectory opens a directory, and nothing else.
func openDirectory(root *os.Root, name string) (*os.File, error) {
	dir, _, err := openFile(root, name, fs.FileMode.IsDir, errNotDir)
	return dir, err
}

// dirReader reads an object within the bandwidth limit, and no longer than
// its context lasts.
type dirReader struct {
	ctx     context.Context
	request request
	file    *os.File
	info    fs.FileInfo
	limit   *limiter
}

// Modified implements archive.Dated.
func (r *dirReader) Modified() time.Time { return r.info.ModTime() }

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
