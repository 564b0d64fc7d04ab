//go:build !linux && !darwin && !freebsd

package tar

// fileSystem returns "": what file system a file is on cannot be told here.
func fileSystem(string) string { return "" }
