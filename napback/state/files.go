package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxBase keeps the longest file name, ESC+KEY@new-RANDOM.napback, below the 255
// bytes that file systems allow.
const maxBase = 190

// escape makes a file name of an archive name or a run: letters, digits, `-`, `_`
// and `.` stay, all other bytes become %XX, so that no two names meet and a reader
// can tell what belongs to what. Names too long for a file end in `~` and their
// SHA-256 instead; the record inside holds the whole name.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxBase {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])
	return b.String()[:maxBase-len(hash)-1] + "~" + hash
}

// readFile reads at most limit bytes of a file, nil if there is none.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return data, cause(err)
}

// writeDurably writes a file that place, such as os.Rename, gives its name once it is
// durable. So what was there before or the new content is there at any time, also
// after a power failure.
func writeDurably(path string, data []byte, place func(from, to string) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, strings.TrimSuffix(filepath.Base(path), extension)+"@new-*"+extension)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // unless that is no longer its name
	if err := writeAndClose(f, data); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// writeAndClose fills a new file. When it returns nil the content is durable.
func writeAndClose(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
