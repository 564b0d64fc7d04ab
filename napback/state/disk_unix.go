//go:build unix

package state

import (
	"os"
	"syscall"
)

// noFollow keeps an open from following a symbolic link and from waiting for
// the other end of a FIFO.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// syncDir makes renames in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
