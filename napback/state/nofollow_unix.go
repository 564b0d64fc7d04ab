//go:build unix

package state

import "syscall"

// noFollow keeps an open from following a symbolic link and from waiting for
// the other end of a FIFO.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
