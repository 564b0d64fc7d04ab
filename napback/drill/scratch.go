package drill

import (
	"io/fs"
	"os"
	"path/filepath"
)

// removeAll removes a scratch directory. Restored directories may be such that even
// their owner cannot remove what is in them.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	_ = walk(root, ".", func(name string, err error) error {
		if info, bad := root.Lstat(name); err == nil && bad == nil && info.IsDir() {
			_ = root.Chmod(name, 0o700)
		}
		return nil // removing tells what is in the way
	})
	return os.RemoveAll(dir)
}

// walk calls visit for an entry below root and all that is in it, whatever bytes
// their names are of, each directory before what is in it, and once more with the
// error if it cannot be read. No link is followed.
func walk(root *os.Root, name string, visit func(name string, err error) error) error {
	if err := visit(name, nil); err != nil {
		return err
	}
	info, err := root.Lstat(name)
	if err != nil || !info.IsDir() {
		return nil // visit has seen that
	}
	entries, err := readDir(root, name)
	if err != nil {
		return visit(name, err)
	}
	for _, e := range entries {
		if err := walk(root, filepath.Join(name, e), visit); err != nil {
			return err
		}
	}
	return nil
}

func readDir(root *os.Root, name string) ([]string, error) {
	dir, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// size is how much the files below a directory hold, in bytes.
func size(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a server removes files of its own
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n, err
}
