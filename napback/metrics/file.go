package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CheckPath refuses a name that a textfile collector does not read, and that no alarm
// would be raised by then. "-" is stdout.
func CheckPath(path string) error {
	if path != "-" && !strings.HasSuffix(path, ".prom") {
		return fmt.Errorf("file %q: want a name that ends in .prom: node_exporter reads no other", path)
	}
	return nil
}

// Write replaces a file at once: who reads it meets the old text or the new one.
// Everybody may read it. A symbolic link of that name is replaced, not followed.
func Write(path, text string) (err error) {
	defer func() {
		var call *fs.PathError
		if errors.As(err, &call) {
			err = call.Err
		}
		if err != nil {
			err = fmt.Errorf("write metrics to %q: %w", path, err)
		}
	}()
	// Its name does not end in .prom, so no collector reads it.
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // unless that is no longer its name
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
