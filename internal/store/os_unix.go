//go:build !windows

package store

import (
	"errors"
	"os"
	"syscall"
)

// Errors that the operating system tells in its own words.
var (
	errNotDir  error = syscall.ENOTDIR
	errInvalid error = syscall.EINVAL
)

// openNoWait makes open(2) return at once, whatever the name stands for.
const openNoWait = syscall.O_NONBLOCK

func isQuota(err error) bool { return errors.Is(err, syscall.EDQUOT) }

// isPassing: trouble of a network file system or of a disk that may be over
// when the same is tried again.
func isPassing(err error) bool {
	for _, e := range []error{syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// noHardLinks: the file system has none, or not here.
func noHardLinks(err error) bool {
	for _, e := range []error{syscall.EPERM, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EMLINK, syscall.EXDEV} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// syncDir makes the names in an open directory durable. Some network file
// systems know no such thing; they do it by themselves.
func syncDir(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}
