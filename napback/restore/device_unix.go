//go:build unix

package restore

import (
	"errors"
	"io/fs"
	"syscall"
)

// deviceOf returns the number of the file system that a file is on.
func deviceOf(info fs.FileInfo) uint64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(stat.Dev)
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
