package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Lock takes the DiffDir for this process alone. ok is false if another process
// has it. What an account says to be running is killed then. The lock ends with release or with the process, however it dies.
func (d *Dir) Lock() (release func(), ok bool, err error) {
	path := filepath.Join(d.path, lockFile)
	l := flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow))
	if err = regular(path); err == nil {
		// Who only looks whether it is held (Held) has it for a moment.
		ctx, cancel := context.WithTimeout(context.Background(), lookTime)
		defer cancel()
		ok, err = l.TryLockContext(ctx, lookTime/10)
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("lock DiffDir %q: %w", d.path, cause(err))
	}
	if ok {
		_ = d.buryAll() // else the next one does
	}
	// The file stays: to remove it would let two processes lock two files of
	// one name.
	return func() { _ = l.Close() }, ok, nil
}

// lookTime is far longer than a look at the lock takes.
const lookTime = 500 * time.Millisecond

// Held tells whether another process has the DiffDir for itself. It makes nothing.
func (d *Dir) Held() (bool, error) {
	path := filepath.Join(d.path, lockFile)
	err := regular(path)
	var ok bool
	if err == nil {
		l := flock.New(path, flock.SetFlag(os.O_RDONLY|noFollow))
		defer l.Close()
		ok, err = l.TryRLock() // which keeps no other look out
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of DiffDir %q: %w", d.path, cause(err))
	}
	return !ok, nil
}

// regular refuses what is there but is no regular file. A symbolic link would let
// root make a file, or lock one, somewhere else.
func regular(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file, but %v", filepath.Base(path), info.Mode())
	}
	return err
}
