//go:build !unix

package runas

import "errors"

// Exec returns that this system has no such thing.
func Exec(string, string, []string) error {
	return errors.New("RunAs: this system cannot run a program as another user")
}
