package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Lock takes the DiffDir for this process alone. ok is false if another process
// has it. The lock ends with release or with the process, however it dies.
func (d *Dir) Lock() (release func(), ok bool, err error) {
	path := filepath.Join(d.path, lockFile)
	l := flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow))
	if err = regular(path); err == nil {
		ok, err = l.TryLock()
	}
	if err != nil {
		return nil, false, fmt.Errorf("lock DiffDir %q: %w", d.path, cause(err))
	}
	// The file stays: to remove it would let two processes lock two files of
	// one name.
	return func() { _ = l.Close() }, ok, nil
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
