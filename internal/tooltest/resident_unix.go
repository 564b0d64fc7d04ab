//go:build !windows

package tooltest

import (
	"runtime"
	"syscall"
)

// maxResident is the most memory that a process has had, in bytes.
func maxResident(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss) // in bytes there, in kilobytes elsewhere
	}
	return int64(usage.Maxrss) << 10
}
