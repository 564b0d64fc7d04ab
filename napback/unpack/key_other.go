//go:build !unix

package unpack

import "errors"

// asked would play the file of a passphrase.
type asked struct{}

func (asked) open([]byte) (string, error) { return "", errors.New("give --passphrase-file FILE") }
func (asked) close()                      {}
