package store

import (
	"errors"
	"os"
	"syscall"
)

const (
	errorInvalidFunction = syscall.Errno(1)
	errorNotSupported    = syscall.Errno(50)
	errorDiskFull        = syscall.Errno(112)
	errorQuota           = syscall.Errno(1295)
)

// Errors that the operating system tells in its own words.
var (
	errNotDir  error = syscall.ENOTDIR
	errInvalid error = syscall.Errno(123) // the name's syntax
)

// openNoWait: nothing here waits when it is opened.
const openNoWait = 0

func isQuota(err error) bool {
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorQuota)
}

func isPassing(error) bool { return false }

func noHardLinks(err error) bool {
	return errors.Is(err, errorInvalidFunction) || errors.Is(err, errorNotSupported)
}

// syncDir does nothing: Windows has no such call.
func syncDir(*os.File) error { return nil }
