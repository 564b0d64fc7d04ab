package guard

import (
	"hash/maphash"
	"strconv"
	"strings"
)

// names knows the directories of an archive, each by a number that is made of
// those of the parts of its path.
type names struct {
	prefix string // of all members but the source: "home/me/" or "./"
	seed   maphash.Seed
	dirs   table
}

const tooManyDirs = "the archive has more directories than can be kept in mind"

func newNames(source string) *names {
	n := &names{prefix: strings.Trim(source, "/") + "/", seed: maphash.MakeSeed()}
	if n.prefix == "/" {
		n.prefix = "./"
	}
	n.dirs.set(n.root(), listed) // the source is what it should be
	return n
}

// plain is a member's name as Policy has it.
func plain(name string) string { return strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/") }

// parts returns the parts of a member's path below the source, or what is wrong
// with it. There is one way to write a name.
func (n *names) parts(name string, isDir bool) (parts []string, why string) {
	if len(name) > maxPath {
		return nil, "its name is too long"
	}
	if strings.IndexByte(name, 0) >= 0 {
		return nil, "its name holds a zero byte"
	}
	if isDir != strings.HasSuffix(name, "/") {
		return nil, "only the names of directories end with a slash"
	}
	full := strings.TrimSuffix(name, "/") + "/"
	rest, ok := strings.CutPrefix(full, n.prefix)
	if !ok {
		return nil, "it is outside of the source"
	}
	if rest == "" {
		return nil, ""
	}
	parts = strings.Split(strings.TrimSuffix(rest, "/"), "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." {
			return nil, "its name is not written as tar does, and may lead out of the source"
		}
	}
	return parts, ""
}

func (n *names) root() uint64 { return maphash.String(n.seed, "") }

// part is the number of one part of a path.
func (n *names) part(name []byte) uint64 { return maphash.Bytes(n.seed, name) }

// child is the number of a path, given those of its parent and its last part.
func (n *names) child(parent, part uint64) uint64 {
	return maphash.Comparable(n.seed, [2]uint64{parent, part})
}

// parent returns the number of the directory that parts are in, or what is wrong:
// that it did not come before, as a directory.
func (n *names) parent(parts []string) (key uint64, why string) {
	key = n.root()
	for i, p := range parts {
		if n.dirs.get(key) != seen {
			if i == 0 {
				return 0, "the source did not come before it, as a directory"
			}
			return 0, "it is below " + strconv.Quote(n.prefix+strings.Join(parts[:i], "/")) + ", which is not a directory of this archive"
		}
		if i < len(parts)-1 {
			key = n.child(key, maphash.String(n.seed, p))
		}
	}
	return key, ""
}

// below returns what is wrong with the way to a path, or "".
func (n *names) below(parts []string) string {
	_, why := n.parent(parts)
	return why
}

// take notes a member, or returns what is wrong with its place.
func (n *names) take(parts []string, isDir bool) (key uint64, why string) {
	key = n.root()
	if len(parts) > 0 {
		parent, why := n.parent(parts)
		if why != "" {
			return 0, why
		}
		key = n.child(parent, maphash.String(n.seed, parts[len(parts)-1]))
	}
	state := n.dirs.get(key)
	switch {
	case isDir && state == seen, !isDir && state == seen:
		return 0, "it comes twice, the first time as a directory"
	case isDir && state == gone:
		return 0, "it comes twice, the second time as a directory"
	case isDir && state != listed:
		return 0, "it is a directory, and its parent's list does not say so"
	case isDir:
		n.dirs.set(key, seen)
	case len(parts) == 0:
		return 0, "it is the source, and no directory"
	case state == listed:
		// It was replaced while tar was reading. From now on it is none.
		n.dirs.set(key, gone)
	}
	return key, ""
}

// list notes directories on the list of a directory, by the numbers of their
// names, or returns what is wrong with it.
func (n *names) list(parent uint64, parts []uint64) string {
	for _, p := range parts {
		key := n.child(parent, p)
		if n.dirs.get(key) != unknown {
			return "it comes before its parent"
		}
		if n.dirs.n >= maxDirs {
			return tooManyDirs
		}
		n.dirs.set(key, listed)
	}
	return ""
}

func (n *names) count() int { return n.dirs.n }

// What is known of a name.
const (
	unknown = iota
	listed  // its parent says that it is a directory
	seen    // it came as a directory
	gone    // its parent says that it is a directory, and it came as something else
)

// table holds 62 bits of each number, and what is known in the other two. It is
// made of parts that grow one by one, so that growing takes little.
type table struct {
	parts [256]struct {
		slots []uint64 // 0 = free
		used  int
	}
	n int
}

func (t *table) get(key uint64) uint64 {
	p := &t.parts[key>>56]
	if len(p.slots) == 0 {
		return unknown
	}
	return *find(p.slots, key) & 3
}

// set notes something other than unknown.
func (t *table) set(key, state uint64) {
	p := &t.parts[key>>56]
	if p.used*4 >= len(p.slots)*3 {
		old := p.slots
		p.slots = make([]uint64, max(16, 2*len(old)))
		for _, v := range old {
			if v != 0 {
				*find(p.slots, v) = v
			}
		}
	}
	slot := find(p.slots, key)
	if *slot == 0 {
		p.used++
		t.n++
	}
	*slot = key&^3 | state
}

// find returns the place of a number, or the free one where it belongs.
func find(slots []uint64, key uint64) *uint64 {
	mask := uint64(len(slots) - 1)
	for i := key >> 8 & mask; ; i = (i + 1) & mask {
		if v := slots[i]; v == 0 || v&^3 == key&^3 {
			return &slots[i]
		}
	}
}
