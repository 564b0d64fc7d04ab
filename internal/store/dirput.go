package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"napback/internal/archive"
	"napback/internal/cli"
)

// lockFile in tmpDir is what writers lock where there are no hard links.
const lockFile = "lock"

// Put implements archive.Store.
func (b dirBucket) Put(ctx context.Context, obj archive.Upload) error {
	return b.policy.do(ctx, request{"put object", obj.Key}, func(ctx context.Context) *failure {
		name, err := keyPath(obj.Key)
		if err != nil {
			return &failure{cause: err}
		}
		bucket, f := b.open(b.name)
		if f != nil {
			return f
		}
		defer bucket.Close()
		tmp, f := b.writeTemp(ctx, bucket, obj)
		if f != nil {
			return f
		}
		defer bucket.Remove(tmp) // gone already where it was renamed
		return b.publish(ctx, bucket, tmp, name, obj)
	})
}

// writeTemp writes the object to a temporary file, whole and durable.
func (b dirBucket) writeTemp(ctx context.Context, bucket *os.Root, obj archive.Upload) (string, *failure) {
	if err := b.prepareTemp(bucket); err != nil {
		return "", b.failure(err)
	}
	tmp := tmpDir + "/" + rand.Text()
	file, err := bucket.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", b.failure(err)
	}
	f := b.fill(ctx, file, obj)
	if err := file.Close(); err != nil && f == nil {
		f = b.failure(err)
	}
	if f != nil {
		bucket.Remove(tmp)
		return "", f
	}
	return tmp, nil
}

// fill copies the object into file and checks that it is what was announced.
func (b dirBucket) fill(ctx context.Context, file *os.File, obj archive.Upload) *failure {
	if _, err := obj.Body.Seek(0, io.SeekStart); err != nil {
		return &failure{cause: fmt.Errorf("read the data: %w", err)}
	}
	hash := sha256.New()
	buf := make([]byte, b.limit.clip(maxStep))
	var size int64
	for {
		n, readErr := obj.Body.Read(buf)
		if err := b.limit.wait(ctx, n); err != nil {
			return &failure{cause: err}
		}
		hash.Write(buf[:n])
		size += int64(n)
		if _, err := file.Write(buf[:n]); err != nil {
			return b.failure(err)
		}
		if readErr == io.EOF {
			break
		}
		if readErr != nil {
			return &failure{cause: fmt.Errorf("read the data: %w", readErr)}
		}
	}
	if size != obj.Size || !bytes.Equal(hash.Sum(nil), obj.SHA256[:]) {
		return &failure{cause: errWrongSum}
	}
	return b.failure(file.Sync())
}

// errWrongSum: what was to be stored is not what its hash was taken of.
var errWrongSum = cli.WithCode(cli.Integrity, errors.New("the data does not match its size and SHA-256"))

// publish gives the temporary file its name, which nothing else may have.
func (b dirBucket) publish(ctx context.Context, bucket *os.Root, tmp, name string, obj archive.Upload) *failure {
	for {
		if f := b.makeParents(bucket, name, obj.Key); f != nil {
			return f
		}
		err := b.link(bucket, tmp, name)
		if noHardLinks(err) {
			err = b.renameLocked(ctx, bucket, tmp, name)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist) && ctx.Err() == nil && exists(bucket, tmp):
			continue // a deletion has just removed an emptied parent
		case errors.Is(err, fs.ErrExist):
			return b.compare(ctx, bucket, name, obj)
		case errors.Is(err, errInvalid):
			return &failure{cause: cli.WithHint(errors.New("the file system does not take such a file name"),
				"names hold `:`, which FAT, exFAT and some mounts of NTFS refuse; use ext4, xfs, btrfs, zfs or apfs")}
		case err != nil:
			return b.failure(err)
		}
		f := b.failure(syncPath(bucket, filepath.Dir(name)))
		if f != nil {
			f.cause = &unknown{f.cause} // the object is there, though it may not last
		}
		return f
	}
}

func exists(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return err == nil
}

// makeParents creates the directories above name, each durable before
// anything is put into it.
func (b dirBucket) makeParents(bucket *os.Root, name, key string) *failure {
	dir := filepath.Dir(name)
	if info, err := bucket.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	for i, r := range key {
		if r != '/' {
			continue
		}
		parent := filepath.FromSlash(key[:i])
		err := bucket.Mkdir(parent, 0o700)
		if errors.Is(err, fs.ErrExist) {
			if info, err := bucket.Stat(parent); err == nil && !info.IsDir() {
				return &failure{cause: fmt.Errorf("%q is an object, and a directory cannot hold both", key[:i])}
			}
			continue
		}
		if err == nil {
			err = syncPath(bucket, filepath.FromSlash(path.Dir(key[:i])))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return b.failure(err)
		}
	}
	return nil
}

// renameLocked publishes on a file system without hard links. Of the writers
// that are ours, the lock lets one at a time look whether the name is free
// and take it; the rename itself is atomic, so that a crash leaves either
// the whole object or none. A foreign program could slip in between.
func (b dirBucket) renameLocked(ctx context.Context, bucket *os.Root, tmp, name string) error {
	for _, path := range []string{tmpDir, tmpDir + "/" + lockFile} {
		// The lock is opened by its path: it must not lead elsewhere.
		if info, err := bucket.Lstat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			return fmt.Errorf("%s: %w", path, errNotRegular)
		}
	}
	lock := flock.New(filepath.Join(b.path, b.name, tmpDir, lockFile), flock.SetPermissions(0o600))
	defer lock.Close()
	if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
		return err
	}
	if exists(bucket, name) {
		return fs.ErrExist
	}
	return bucket.Rename(tmp, name)
}

// compare settles a name that is taken: by the same bytes is success.
func (b dirBucket) compare(ctx context.Context, bucket *os.Root, name string, obj archive.Upload) *failure {
	if info, err := bucket.Stat(name); err == nil && info.IsDir() {
		return &failure{cause: errors.New("there are objects below it, and a directory cannot hold both")}
	}
	file, info, err := openFile(bucket, name, fs.FileMode.IsRegular, errNotRegular)
	if errors.Is(err, errNotRegular) {
		return &failure{cause: archive.ErrExist}
	}
	if err != nil {
		f := b.failure(err)
		f.cause = &unknown{f.cause} // what cannot be looked at may be ours
		return f
	}
	defer file.Close()
	if info.Size() != obj.Size {
		return &failure{cause: archive.ErrExist}
	}
	hash := sha256.New()
	body := &dirReader{ctx: ctx, request: request{"get object", obj.Key}, file: file}
	if _, err := io.CopyBuffer(struct{ io.Writer }{hash}, body, make([]byte, maxStep)); err != nil {
		return &failure{cause: err}
	}
	if !bytes.Equal(hash.Sum(nil), obj.SHA256[:]) {
		return &failure{cause: archive.ErrExist}
	}
	// Whoever stored it may have died before its name was durable.
	if err := file.Sync(); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errInvalid) {
		return b.failure(err)
	}
	return b.failure(syncPath(bucket, filepath.Dir(name)))
}

// prepareTemp creates tmpDir, and the first time in this process removes what
// writers that died have left in it.
func (b dirBucket) prepareTemp(bucket *os.Root) error {
	if err := bucket.Mkdir(tmpDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	b.mu.Lock()
	first := !b.cleaned[b.name]
	b.cleaned[b.name] = true
	b.mu.Unlock()
	if first {
		b.removeOld(bucket)
	}
	return nil
}

// removeOld removes temporary files older than tmpLife. That it fails does
// not matter to anybody.
func (s *dirService) removeOld(bucket *os.Root) {
	entries, err := fs.ReadDir(bucket.FS(), tmpDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := tmpDir + "/" + e.Name()
		info, err := bucket.Lstat(name)
		if err == nil && e.Name() != lockFile && time.Since(info.ModTime()) > tmpLife {
			bucket.Remove(name)
			s.log.Verbosef("removed %q, left by a run that died", name)
		}
	}
}
