//go:build !linux

package confine

// Supported returns why this system cannot confine a process.
func Supported() error { return ErrUnsupported }

// Exec returns that this system cannot confine a process.
func Exec(string, string, []string, []string) error { return ErrUnsupported }
