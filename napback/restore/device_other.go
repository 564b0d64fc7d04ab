//go:build !unix

package restore

import "io/fs"

// deviceOf returns the number of the file system that a file is on, which only
// Unix tells.
func deviceOf(fs.FileInfo) uint64 { return 0 }

func isNotDir(error) bool { return false }
