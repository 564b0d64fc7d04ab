package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ownerPattern is what an owner's id looks like.
var ownerPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// maxOwner bounds what is read of the file, in bytes.
const maxOwner = 128

// Owner returns the id of who stores from this DiffDir, or "" if none has been
// made yet. An error tells that the file holds no id.
func (d *Dir) Owner() (string, error) {
	path := filepath.Join(d.path, ownerFile)
	data, err := readFile(path, maxOwner)
	if err != nil {
		return "", fmt.Errorf("read owner %q: %w", path, err)
	}
	id := strings.TrimSpace(string(data))
	if data != nil && !ownerPattern.MatchString(id) {
		return "", fmt.Errorf("read owner %q: it holds no id", path)
	}
	return id, nil
}

// MakeOwner returns the id of who stores from this DiffDir, and makes it first if
// there is none. It is made once: 128 random bits, written, synced, and then given
// its name only if nothing has it, so that it is whole or not there. A file that
// holds no id, as a file system that was full may leave, is put aside.
func (d *Dir) MakeOwner() (string, error) {
	path := filepath.Join(d.path, ownerFile)
	switch id, err := d.Owner(); {
	case id != "":
		return id, nil
	case err != nil:
		if err := os.Rename(path, path+".damaged"+extension); err != nil {
			return "", fmt.Errorf("make owner: %w", err)
		}
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	err := createDurably(path, []byte(id+"\n"))
	if errors.Is(err, fs.ErrExist) {
		return d.Owner()
	}
	if err != nil {
		return "", fmt.Errorf("make owner: %w", err)
	}
	return id, nil
}

// createDurably makes a file that must not exist. It is whole or not there, also
// after a power failure, where the file system knows hard links.
func createDurably(path string, data []byte) error {
	return writeDurably(path, data, func(from, to string) error {
		err := os.Link(from, to)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = createHere(to, data)
		}
		return err
	})
}

// createHere makes a file in its place.
func createHere(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := writeAndClose(f, data); err != nil {
		os.Remove(path)
		return err
	}
	return nil
}
