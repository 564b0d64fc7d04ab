//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// doubtful says who else than root and the user can change a file, or "".
func doubtful(info fs.FileInfo) string {
	if !info.Mode().IsRegular() {
		return ""
	}
	if info.Mode().Perm()&0o002 != 0 {
		return "can be written by everyone, who thereby decide what is backed up and where to"
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && stat.Uid != 0 && int(stat.Uid) != os.Getuid() {
		return fmt.Sprintf("belongs to another user (uid %d), who thereby decides what is backed up and where to", stat.Uid)
	}
	return ""
}
