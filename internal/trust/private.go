package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"napback/internal/cli"
	"napback/internal/shell"
)

// Read returns what the file at path holds, which may be a pipe. More than
// limit bytes are an error. Errors begin with what the file is to the caller,
// as in `key file "PATH": ...`.
func Read(what, path string, limit int64) ([]byte, error) {
	return read(what, path, limit, func(fs.FileInfo) error { return nil })
}

// ReadPrivate is Read for a file that holds a secret: a key, a password, a
// passphrase. It must belong to root or to the running user, and its mode must
// let nobody else in. Both are those of the file that was opened, so that it
// cannot be exchanged in between.
func ReadPrivate(what, path string, limit int64) ([]byte, error) {
	return read(what, path, limit, func(info fs.FileInfo) error {
		if err := current().owner(path, info); err != nil { // of a pipe or a terminal it means nothing
			return fmt.Errorf("%s: %w", what, err)
		}
		if private(path, info) {
			return nil
		}
		return cli.WithHint(fmt.Errorf("%s %q: others can read or write it (mode %04o)", what, path, info.Mode().Perm()),
			"chmod 600 %s", shell.Word(path))
	})
}

// maxSecretLine bounds a file whose first line is a password.
const maxSecretLine = 64 << 10

// ReadPrivateLine is ReadPrivate for the first line of a file, without its end.
// Of a passphrase file gpg, too, takes that and no more.
func ReadPrivateLine(what, path string) ([]byte, error) {
	data, err := ReadPrivate(what, path, maxSecretLine)
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), err
}

// private tells that the mode of an open file keeps others out.
func private(path string, info fs.FileInfo) bool {
	switch {
	case runtime.GOOS == "windows", info.Mode()&fs.ModeCharDevice != 0: // a terminal keeps nothing
		return true
	case runtime.GOOS == "darwin" && info.Mode()&fs.ModeNamedPipe != 0 && strings.HasPrefix(path, "/dev/"):
		return true // macOS says of each pipe without a name, as of a shell's <(command), that a group may use it
	}
	return info.Mode().Perm()&0o077 == 0
}

func read(what, path string, limit int64, check func(fs.FileInfo) error) ([]byte, error) {
	failed := func(err error) error {
		var call *fs.PathError
		if errors.As(err, &call) {
			err = call.Err
		}
		return fmt.Errorf("%s %q: %w", what, path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, failed(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, failed(err)
	}
	if info.IsDir() {
		return nil, failed(errors.New("is a directory"))
	}
	if err := check(info); err != nil {
		return nil, err
	}
	data, err := readAll(f, limit)
	if err != nil {
		return nil, failed(err)
	}
	return data, nil
}

// readAll collects pieces and joins them once: growing one slice would hold
// three times as much.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	const piece = 1 << 20
	var pieces [][]byte
	var size int64
	for {
		b := make([]byte, piece)
		n, err := io.ReadFull(r, b)
		pieces = append(pieces, b[:n])
		size += int64(n)
		switch {
		case size > limit:
			return nil, fmt.Errorf("larger than %s", cli.FormatSize(limit))
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return bytes.Join(pieces, nil), nil
		case err != nil:
			return nil, err
		}
	}
}
