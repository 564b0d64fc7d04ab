//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"napback/napback/catalog"
)

// tree describes everything below a directory that a backup must bring back:
// type, mode, owner, size, times to the nanosecond, content, link target, which
// names are the same file, holes, and extended attributes, which ACLs are too.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
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
			what += fmt.Sprintf(" size %d sum %x holes %v", st.Size, sha256.Sum256(data), st.Blocks*512 < st.Size)
		case unix.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" to %q", target)
		case unix.S_IFCHR, unix.S_IFBLK:
			what += fmt.Sprintf(" device %d", st.Rdev)
		}
		all[name] = what + fmt.Sprintf(" mtime %d.%09d", st.Mtim.Sec, st.Mtim.Nsec) + attributes(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func attributes(t *testing.T, path string) string {
	buffer := make([]byte, 1<<16)
	n, err := unix.Llistxattr(path, buffer)
	if err != nil {
		t.Fatal(err)
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
			t.Fatal(err)
		}
		fmt.Fprintf(&b, " %s=%x", name, value[:n])
	}
	return b.String()
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
	return strings.Join(lines, "\n")
}

// restore brings back the job's state of a date ("" = the newest), with the tools
// and tar alone, and returns where the source's tree is.
func (s *site) restore(date string) string {
	s.t.Helper()
	listing := s.tool("s3ls", "--json", "-r", "bk")
	found, err := catalog.Read(strings.NewReader(listing.out))
	s.must(err)
	moment, err := catalog.ParseMoment(date, time.Local)
	s.must(err)
	owner, err := os.ReadFile(filepath.Join(s.diffs, "owner"))
	if os.IsNotExist(err) { // it goes on under an id that it has adopted
		owner, err = []byte(s.record().Owner), nil
	}
	s.must(err)
	archives, err := catalog.OfJob(found.Entries, "job", catalog.Wanted{Own: strings.TrimSpace(string(owner)), Source: "Directory " + s.source})
	s.must(err)
	point, err := archives.At(moment)
	s.must(err)
	to := s.t.TempDir()
	for _, link := range point.Chain {
		pipe := `set -e; "$1" "$2" | zstd -dq | tar --extract --file=- --listed-incremental=/dev/null --numeric-owner -p --xattrs --xattrs-include='*' --acls -C "$3"`
		cmd := exec.CommandContext(s.t.Context(), "bash", "-o", "pipefail", "-c", pipe, "restore", filepath.Join(binDir, "s3get"), link.Address(), to)
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_S3=file://"+s.store)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil || out.Len() > 0 {
			s.t.Errorf("restore %s: %v\n%s", link.Address(), err, out.String())
		}
	}
	return filepath.Join(to, s.source)
}

// mustRestore checks that a date's restored tree is want.
func (s *site) mustRestore(date string, want map[string]string) {
	s.t.Helper()
	if d := difference(want, tree(s.t, s.restore(date))); d != "" {
		s.t.Errorf("restored tree of %q differs:\n%s", date, d)
	}
}
