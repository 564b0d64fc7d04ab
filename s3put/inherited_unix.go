//go:build unix

package main

import "golang.org/x/sys/unix"

// inherited reports whether a descriptor was passed to this process. Those
// that the process, or the Go runtime in it, has opened for itself are not
// passed on by exec; one that was passed to it must have been.
func inherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}
