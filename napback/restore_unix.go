//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"napback/internal/cli"
	"napback/napback/tools"
)

// deviceOf returns the number of the file system that a file is on.
func deviceOf(info fs.FileInfo) uint64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(stat.Dev)
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }

// writable returns why files cannot be made in a directory, or nil.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("it cannot be written to: %w", err)
	}
	return nil
}

// secretKey is the key that opens archives. With file "" gpg has it.
type secretKey struct {
	file       string
	passphrase string // file that holds its passphrase; "" = it needs none, as far as is known
	dir        string // holds the pipe that plays that file; "" = none
	quit       chan struct{}
	done       chan struct{}
}

// wanted reports whether a chain failed because the key needs a passphrase that
// can be asked for. pgpipe would ask itself, but the processes of a chain are
// kept from the terminal.
func (k *secretKey) wanted(err error) bool {
	if k.file == "" || k.passphrase != "" || !tools.WantsPassphrase(err) {
		return false
	}
	return cli.HasTerminal()
}

// ask asks for the passphrase. pgpipe gets it through a named pipe that only
// the user can open, so that it is never on a disk.
func (k *secretKey) ask(ctx context.Context) error {
	secret, err := cli.AskSecret(ctx, fmt.Sprintf("Passphrase of %s: ", k.file))
	if err != nil {
		return fmt.Errorf("ask for the passphrase of %q: %w", k.file, err)
	}
	if k.dir, err = os.MkdirTemp("", "napback-"); err != nil {
		return err
	}
	k.passphrase = filepath.Join(k.dir, "passphrase")
	if err := syscall.Mkfifo(k.passphrase, 0o600); err != nil {
		return fmt.Errorf("make pipe %q: %w", k.passphrase, err)
	}
	k.quit, k.done = make(chan struct{}), make(chan struct{})
	go k.serve(append(secret, '\n'))
	return nil
}

// serve writes the passphrase to everybody who opens the pipe. Each reader gets
// a pipe of its own, since one that is opened again before the last reader has
// closed it would never end for that reader.
func (k *secretKey) serve(secret []byte) {
	defer close(k.done)
	for {
		f, err := os.OpenFile(k.passphrase, os.O_WRONLY, 0) // waits for a reader
		if err != nil {
			return
		}
		select {
		case <-k.quit:
			f.Close()
			return
		default:
		}
		err = errors.Join(os.Remove(k.passphrase), syscall.Mkfifo(k.passphrase, 0o600))
		_, _ = f.Write(secret) // a reader that is gone needs none
		f.Close()
		if err != nil {
			return // the next reader fails with that
		}
	}
}

// forget ends what ask has begun.
func (k *secretKey) forget() {
	if k.dir == "" {
		return
	}
	if k.quit != nil {
		close(k.quit)
		// To serve this is one more reader.
		if f, err := os.OpenFile(k.passphrase, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			<-k.done
			f.Close()
		}
	}
	os.RemoveAll(k.dir)
}
