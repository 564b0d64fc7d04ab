//go:build !unix

package main

import (
	"context"
	"errors"
	"io/fs"
)

// deviceOf returns the number of the file system that a file is on, which only
// Unix tells.
func deviceOf(fs.FileInfo) uint64 { return 0 }

func isNotDir(error) bool { return false }

// writable returns why files cannot be made in a directory, as far as can be
// told without making one.
func writable(string) error { return nil }

// secretKey is the key that opens archives. With file "" gpg has it.
type secretKey struct {
	file       string
	passphrase string // file that holds its passphrase; "" = it needs none
}

func (k *secretKey) wanted(error) bool { return false }
func (k *secretKey) forget()           {}

func (k *secretKey) ask(context.Context) error { return errors.New("give --passphrase-file FILE") }
