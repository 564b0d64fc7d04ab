//go:build darwin || freebsd

package tar

import "golang.org/x/sys/unix"

// fileSystem returns what identifies the file system that a file is on: its kind
// and what is mounted. "" if that cannot be told.
func fileSystem(path string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return ""
	}
	return unix.ByteSliceToString(s.Fstypename[:]) + " " + unix.ByteSliceToString(s.Mntfromname[:])
}
