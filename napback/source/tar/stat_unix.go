//go:build unix

package tar

import (
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookAt does not follow a symbolic link.
func lookAt(path string) (stat, error) {
	var raw unix.Stat_t
	if err := unix.Lstat(path, &raw); err != nil {
		return stat{}, &fs.PathError{Op: "lstat", Path: path, Err: syscall.Errno(err.(unix.Errno))}
	}
	return stat{
		dev: uint64(raw.Dev), ino: raw.Ino, dir: raw.Mode&unix.S_IFMT == unix.S_IFDIR,
		modified: time.Unix(raw.Mtim.Unix()), changed: time.Unix(raw.Ctim.Unix()),
	}, nil
}
