package tar

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// TrimAttributes removes the extended attributes of a directory below root that
// tar is going to extract once more. tar sets attributes of a directory and
// removes none; those of files go with the files, and ACLs it removes. Nothing is
// done where there is no directory, and what the user may not remove stays.
func TrimAttributes(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return err
	}
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	attributes, err := listAttributes(int(dir.Fd()))
	if err != nil {
		return fmt.Errorf("list attributes of %q: %w", name, err)
	}
	for _, a := range attributes {
		// What begins with system. is the file system's own view of other
		// things, and the label is for the host's policy to set.
		if strings.HasPrefix(a, "system.") || a == "security.selinux" {
			continue
		}
		if err := unix.Fremovexattr(int(dir.Fd()), a); err != nil && err != unix.ENODATA && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("remove attribute %q of %q: %w", a, name, err)
		}
	}
	return nil
}

// listAttributes returns the names of a file's extended attributes.
func listAttributes(fd int) ([]string, error) {
	buffer := make([]byte, 64<<10) // the most that Linux lists
	n, err := unix.Flistxattr(fd, buffer)
	if err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for name := range bytes.SplitSeq(bytes.TrimRight(buffer[:n], "\x00"), []byte{0}) {
		if len(name) > 0 {
			names = append(names, string(name))
		}
	}
	return names, nil
}
