//go:build unix

package check

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// writable returns why files cannot be made in a directory, or nil.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("it cannot be written to: %w", err)
	}
	return nil
}
