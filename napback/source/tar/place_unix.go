//go:build unix

package tar

import (
	"io/fs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookAt does not follow a symbolic link.
func lookAt(path string) (place, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return place{}, &fs.PathError{Op: "lstat", Path: path, Err: syscall.Errno(err.(unix.Errno))}
	}
	return place{
		dev: uint64(stat.Dev), ino: stat.Ino, dir: stat.Mode&unix.S_IFMT == unix.S_IFDIR,
		modified: time.Unix(stat.Mtim.Unix()), changed: time.Unix(stat.Ctim.Unix()),
	}, nil
}
