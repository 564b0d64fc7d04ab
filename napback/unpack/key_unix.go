//go:build unix

package unpack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// asked plays the file of a passphrase: a named pipe that only the user can open,
// so that the passphrase is never on a disk.
type asked struct {
	pipe string
	dir  string // holds the pipe; "" = there is none
	quit chan struct{}
	done chan struct{}
}

// open makes the pipe, and serves a passphrase in it.
func (a *asked) open(secret []byte) (pipe string, err error) {
	if a.dir, err = os.MkdirTemp("", "napback-"); err != nil {
		return "", err
	}
	a.pipe = filepath.Join(a.dir, "passphrase")
	if err := syscall.Mkfifo(a.pipe, 0o600); err != nil {
		return a.pipe, fmt.Errorf("make pipe %q: %w", a.pipe, err)
	}
	a.quit, a.done = make(chan struct{}), make(chan struct{})
	go a.serve(secret)
	return a.pipe, nil
}

// serve writes the passphrase to everybody who opens the pipe. Each reader gets
// a pipe of its own, since one that is opened again before the last reader has
// closed it would never end for that reader.
func (a *asked) serve(secret []byte) {
	defer close(a.done)
	for {
		f, err := os.OpenFile(a.pipe, os.O_WRONLY, 0) // waits for a reader
		if err != nil {
			return
		}
		select {
		case <-a.quit:
			f.Close()
			return
		default:
		}
		err = errors.Join(os.Remove(a.pipe), syscall.Mkfifo(a.pipe, 0o600))
		_, _ = f.Write(secret) // a reader that is gone needs none
		f.Close()
		if err != nil {
			return // the next reader fails with that
		}
	}
}

// close ends what open has begun.
func (a *asked) close() {
	if a.dir == "" {
		return
	}
	if a.quit != nil {
		close(a.quit)
		// To serve this is one more reader.
		if f, err := os.OpenFile(a.pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			<-a.done
			f.Close()
		}
	}
	os.RemoveAll(a.dir)
}
