//go:build linux || darwin || freebsd

package check

import "golang.org/x/sys/unix"

// freeSpace is how many bytes can be written to the file system of a directory by
// whoever is not root.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
