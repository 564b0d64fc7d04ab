package logging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"napback/internal/cli"
	"napback/internal/trust"
)

// Try tells whether a log file could be written, as far as that shows without
// changing anything. there tells that the file is there; else its directory is
// where it would be made.
func Try(path string) (there bool, err error) {
	if err := trust.Log(path); err != nil {
		return false, err
	}
	if path, err = regular(path); err != nil {
		return false, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		return true, f.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, cli.WithHint(fmt.Errorf("there is no directory %q", dir), "make it by hand")
	case err == nil && !info.IsDir():
		err = fmt.Errorf("%q is no directory", dir)
	}
	return false, err
}
