package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Delete implements archive.Store. It also removes the directories that
// become empty.
func (b dirBucket) Delete(ctx context.Context, keys ...string) error {
	var all []error
	for _, key := range keys {
		err := b.policy.do(ctx, request{"delete object", key}, func(ctx context.Context) *failure {
			bucket, f := b.open(b.name)
			if f != nil {
				return f
			}
			defer bucket.Close()
			return b.failure(removeKey(bucket, key))
		})
		if err != nil {
			all = append(all, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(all...)
}

// removeKey removes a key's file and makes that durable, so that objects
// vanish in the order in which they were deleted.
func removeKey(bucket *os.Root, key string) error {
	name, err := keyPath(key)
	if err != nil {
		return nil // there cannot be such an object
	}
	info, err := bucket.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) || err == nil && info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := bucket.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := path.Dir(filepath.ToSlash(name))
	for dir != "." && bucket.Remove(filepath.FromSlash(dir)) == nil {
		dir = path.Dir(dir)
	}
	err = syncPath(bucket, filepath.FromSlash(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another deletion has emptied and removed it
	}
	return err
}
