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

// steadyTimes tells that the ctimes of a file system never go back. Here it is
// not known.
func steadyTimes(string) bool { return false }

// mountPoints returns nil: what is mounted where cannot be told here.
func mountPoints(string) []mountPoint { return nil }

// fleeting tells that file systems of a kind come and go with programs. Here
// none is known.
func fleeting(string) bool { return false }
