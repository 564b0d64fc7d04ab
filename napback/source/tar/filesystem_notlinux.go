//go:build !linux

package tar

// steadyTimes tells that the ctimes of a file system never go back. Here it is
// not known.
func steadyTimes(string) bool { return false }

// mountPoints returns nil: what is mounted where cannot be told here.
func mountPoints(string) []mountPoint { return nil }

// fleeting tells that file systems of a kind come and go with programs. Here
// none is known.
func fleeting(string) bool { return false }
