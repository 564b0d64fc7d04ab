package storetest

import "syscall"

// hasXattrs tells whether versitygw can keep its metadata beside the data.
func hasXattrs(dir string) bool {
	err := syscall.Setxattr(dir, "user.napback-test", []byte("x"), 0)
	if err != nil {
		return false
	}
	return syscall.Removexattr(dir, "user.napback-test") == nil
}
