//go:build !windows

package store

import (
	"errors"
	"os"
	"slices"
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
	return isAny(err, syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY)
}

// noHardLinks: the file system has none, or not here.
func noHardLinks(err error) bool {
	return isAny(err, syscall.EPERM, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EMLINK, syscall.EXDEV)
}

func isAny(err error, numbers ...syscall.Errno) bool {
	return slices.ContainsFunc(numbers, func(n syscall.Errno) bool { return errors.Is(err, n) })
}

// syncDir makes the names in an open directory durable. Some network file
// systems know no such thing; they do it by themselves.
func syncDir(dir *os.File) error {
	err := dir.Sync()
	if isAny(err, syscall.EINVAL, syscall.EOPNOTSUPP, syscall.ENOSYS) {
		return nil
	}
	return err
}
