//go:build linux

// Package treetest describes trees of files, so that tests can compare what was
// backed up with what was restored.
package treetest

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

// Describe describes everything below a directory that a backup must bring back:
// type, mode, owner, size, times to the nanosecond, content, link target, which
// names are the same file, holes, and extended attributes, which ACLs are too.
// Holes are looked for in files of at least sparse bytes.
func Describe(root string, sparse int64) (map[string]string, error) {
	all := map[string]string{}
	first := map[uint64]string{} // name by which an inode was met first
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
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
		case unix.S_IFCHR, unix.S_IFBLK:
			what += fmt.Sprintf(" device %d", st.Rdev)
		}
		attributes, err := attributes(path)
		all[name] = what + fmt.Sprintf(" mtime %d.%09d", st.Mtim.Sec, st.Mtim.Nsec) + attributesAre + attributes
		return err
	})
	return all, err
}

// attributesAre comes before the extended attributes in a description.
const attributesAre = " attributes"

// Plain is a tree without the extended attributes of its directories.
func Plain(tree map[string]string) map[string]string {
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
	buffer := make([]byte, 1<<16)
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
		value := make([]byte, 1<<16)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, " %s=%x", name, value[:n])
	}
	return b.String(), nil
}

// shown is how many differences are told.
const shown = 10

// Difference says how two trees differ, or "".
func Difference(want, got map[string]string) string {
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
	if len(lines) > shown {
		lines = append(lines[:shown], fmt.Sprintf("and %d more", len(lines)-shown))
	}
	return strings.Join(lines, "\n")
}
