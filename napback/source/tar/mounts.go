package tar

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mountPoint is where something is mounted, a file system or a part of one.
type mountPoint struct {
	id     uint64 // the kernel's number of the mount
	path   string
	kind   string // of the file system
	source string // what is mounted
}

// identities remembers what identifies the file systems, by the numbers of their
// devices.
type identities map[uint64]string

// of returns the identity of the file system that a path on device dev is on.
func (ids identities) of(dev uint64, path string) string {
	id, known := ids[dev]
	if !known {
		id = fileSystem(path)
		ids[dev] = id
	}
	return id
}

// pointsIn returns what is mounted inside the source, by path below source:
// "dir" and the identity of its file system, or "file", that and its inode.
func (s *directory) pointsIn(ids identities) map[string]string {
	points := map[string]string{}
	for _, m := range mountPoints(s.real) {
		rel, err := filepath.Rel(s.real, m.path)
		if err != nil {
			continue
		}
		if p := filepath.Join(s.read, rel); points[p] == "" {
			if what := pointAt(p, ids); what != "" {
				points[p] = what
			}
		}
	}
	return points
}

// pointAt describes what is mounted at a path.
func pointAt(path string, ids identities) string {
	at, err := lookAt(path)
	if err != nil {
		return ""
	}
	if at.dir {
		return "dir " + ids.of(at.dev, path)
	}
	return fmt.Sprintf("file %s inode %d", ids.of(at.dev, path), at.ino)
}

func isFilePoint(what string) bool { return strings.HasPrefix(what, "file ") }

// changedFiles returns the directories, by name as tar knows them, of files over
// which something else is mounted than was. Such a file may be old, and its
// directory does not change.
func (s *directory) changedFiles(then, now map[string]string) map[string]bool {
	dirs := map[string]bool{}
	for _, points := range []map[string]string{then, now} {
		for p, what := range points {
			if then[p] != now[p] && isFilePoint(what) {
				dirs[s.nameOf(filepath.Dir(p))] = true
			}
		}
	}
	return dirs
}

// nameOf is the name that tar knows a directory of the source by.
func (s *directory) nameOf(dir string) string {
	if s.read != "/" {
		return memberName(dir)
	}
	if dir == "/" {
		return "."
	}
	return "." + dir
}

// gone returns the directories, in the source or above it, on which a file system
// was mounted and none is now: its files are missing from the archive.
func (s *directory) gone(then, now map[string]string) []string {
	var gone []string
	for p, what := range then {
		if !isFilePoint(what) && now[p] == "" && (Inside(p, s.read) || Inside(s.real, p)) && !isMounted(p) {
			gone = append(gone, p)
		}
	}
	slices.Sort(gone)
	return gone
}

// homeOf returns the directory on which the file system of a path is mounted, or
// "" if that is the root, which is always there.
func homeOf(path string) string {
	for ; path != "/"; path = filepath.Dir(path) {
		if isMounted(path) {
			return path
		}
	}
	return ""
}

// isMounted tells whether a directory is on another file system than the one
// that it is in. To open it mounts what is mounted on demand.
func isMounted(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	at, err := lookAt(dir)
	above, err2 := lookAt(filepath.Dir(dir))
	return err == nil && err2 == nil && at.dev != above.dev
}
