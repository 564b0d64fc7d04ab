package state

import (
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Lock takes the DiffDir for this process alone. ok is false if another process
// has it. The lock ends with release or with the process, however it dies.
func (d *Dir) Lock() (release func(), ok bool, err error) {
	l := flock.New(filepath.Join(d.path, lockFile), flock.SetPermissions(0o600))
	ok, err = l.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("lock DiffDir %q: %w", d.path, cause(err))
	}
	// The file stays: to remove it would let two processes lock two files of
	// one name.
	return func() { _ = l.Close() }, ok, nil
}
