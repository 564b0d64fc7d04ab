package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mounts returns what identifies the file systems that the source is on: of the
// source itself and of each mount point in it, whose name is escaped as the
// kernel escapes it. It returns nil if that cannot be found out.
func mounts(source string) map[string]string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	return readMounts(f, source, fileSystemID)
}

// readMounts reads proc_pid_mountinfo(5).
func readMounts(r io.Reader, source string, id func(path string) string) map[string]string {
	found := map[string]string{}
	home := "" // the innermost mount point at or above the source
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(tail) < 2 {
			continue
		}
		root, point, kind, device := fields[3], fields[4], tail[0], tail[1]
		path := unescape(point)
		// Statfs of a server that is down would hang.
		identity := kind + " " + root + " " + device
		if !remote(kind) {
			if n := id(path); n != "" {
				identity = kind + " " + root + " " + n
			}
		}
		switch {
		case inside(source, path):
			if len(path) >= len(home) {
				home, found[sourceMount] = path, identity
			}
		case inside(path, source):
			found[point] = identity // a later mount hides an earlier one
		}
	}
	if lines.Err() != nil || home == "" {
		return nil
	}
	return found
}

// remote tells kinds of file systems that are known by their source alone.
func remote(kind string) bool {
	for _, prefix := range []string{"nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "autofs", "virtiofs"} {
		if strings.HasPrefix(kind, prefix) {
			return true
		}
	}
	return false
}

// fileSystemID is the kernel's identification of a file system, which most kinds
// make of their UUID; "" if there is none.
func fileSystemID(path string) string {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil || s.Fsid.Val == [2]int32{} {
		return ""
	}
	return fmt.Sprintf("%08x%08x", uint32(s.Fsid.Val[0]), uint32(s.Fsid.Val[1]))
}
