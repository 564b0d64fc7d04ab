//go:build linux

package storm

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// sparse is the size from which holes are compared.
const sparse = 1 << 16

// tree describes everything below a directory that a backup must bring back:
// type, mode, owner, size, times to the nanosecond, content, link target, which
// names are the same file, holes, and extended attributes.
func (w *world) tree(root string) map[string]string {
	w.t.Helper()
	all := map[string]string{}
	first := map[uint64]string{} // name by which an inode was met first
	w.must(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		what := fmt.Sprintf("mode %o owner %d:%d", st.Mode, st.Uid, st.Gid)
		if !d.IsDir() {
			if first[st.Ino] == "" {
				first[st.Ino] = name
			}
			what += fmt.Sprintf(" links %d to %q", st.Nlink, first[st.Ino])
		}
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" size %d sum %x holes %v", st.Size, sha256.Sum256(data), st.Size >= sparse && st.Blocks*512 < st.Size)
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" to %q", target)
		}
		attributes, err := attributes(path)
		all[name] = what + fmt.Sprintf(" mtime %d.%09d", st.Mtim.Sec, st.Mtim.Nsec) + attributesAre + attributes
		return err
	}))
	return all
}

// attributesAre comes before the extended attributes in a description.
const attributesAre = " attributes"

// plain is a tree without the extended attributes of its directories.
func plain(tree map[string]string) map[string]string {
	bare := map[string]string{}
	for name, what := range tree {
		if strings.HasPrefix(what, "mode 4") {
			what, _, _ = strings.Cut(what, attributesAre)
		}
		bare[name] = what
	}
	return bare
}

func attributes(path string) (string, error) {
	buffer := make([]byte, 1<<12)
	n, err := unix.Llistxattr(path, buffer)
	if err != nil {
		return "", err
	}
	names := strings.Split(strings.TrimRight(string(buffer[:n]), "\x00"), "\x00")
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		if name == "" {
			continue
		}
		value := make([]byte, 1<<12)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, " %s=%x", name, value[:n])
	}
	return b.String(), nil
}

// difference says how two trees differ, or "".
func difference(want, got map[string]string) string {
	var lines []string
	for name, w := range want {
		if g, ok := got[name]; !ok {
			lines = append(lines, fmt.Sprintf("%q is missing: %s", name, w))
		} else if g != w {
			lines = append(lines, fmt.Sprintf("%q differs:\n  want %s\n  got  %s", name, w, g))
		}
	}
	for name, g := range got {
		if _, ok := want[name]; !ok {
			lines = append(lines, fmt.Sprintf("%q is too many: %s", name, g))
		}
	}
	slices.Sort(lines)
	if len(lines) > 6 {
		lines = append(lines[:6], fmt.Sprintf("and %d more", len(lines)-6))
	}
	return strings.Join(lines, "\n")
}
