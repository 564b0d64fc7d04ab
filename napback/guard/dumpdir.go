package guard

import (
	"bytes"
	"slices"
)

// dumpdirRecord passes on the list of a directory of which the name is not known
// yet, and remembers the directories on it.
func (s *stream) dumpdirRecord(n int64, x *extended) error {
	return s.entries(n, func(name []byte) string {
		if len(x.dirs)+s.names.count() >= maxDirs {
			return tooManyDirs
		}
		if len(x.dirs) == cap(x.dirs) { // grow by a step, not to the double
			x.dirs = slices.Grow(x.dirs, 1+min(len(x.dirs), 1<<18))
		}
		x.dirs = append(x.dirs, s.names.part(name))
		return ""
	})
}

// dumpdir passes on the list that is the contents of a directory.
func (s *stream) dumpdir(m *member) error {
	if m.size > maxHeader {
		return s.refuse(m.name, "a directory's list of %d bytes", m.size)
	}
	one := make([]uint64, 1)
	err := s.entries(m.size, func(name []byte) string {
		one[0] = s.names.part(name)
		return s.names.list(m.key, one)
	})
	if err != nil {
		return err
	}
	return s.padding(m.size)
}

// entries passes on a directory's list of n bytes: entries of a letter, a name
// and a zero byte, by their names, and another zero byte. It calls each for the
// directories on it, which returns what is wrong with one, or ""; but gives all to
// a visitor instead.
func (s *stream) entries(n int64, each func(name []byte) string) error {
	var before []byte
	for {
		p, err := s.slice(0)
		if err != nil {
			return err
		}
		n -= int64(len(p))
		if len(p) == 1 && n == 0 {
			return s.pass(p)
		}
		if len(p) < 2 || n < 1 {
			return s.refuse("", "a directory's list that does not end where it should")
		}
		kind, name := p[0], p[1:len(p)-1]
		switch {
		case kind == 'R' || kind == 'T' || kind == 'X':
			return s.refuse(string(name), "a note of tar's on a rename (%c) in a directory's list", kind)
		case kind != 'Y' && kind != 'N' && kind != 'D':
			return s.refuse(string(name), "an entry %q in a directory's list", kind)
		case len(name) == 0 || len(name) > maxEntry || bytes.IndexByte(name, '/') >= 0 || string(name) == "." || string(name) == "..":
			return s.refuse(string(name), "a directory's list with a name that no file can have")
		case before != nil && bytes.Compare(before, name) >= 0:
			return s.refuse(string(name), "a directory's list that is not in order")
		}
		before = append(before[:0], name...)
		switch {
		case s.visitor != nil && s.visitor.Item != nil:
			if err := s.visitor.Item(p); err != nil {
				return err
			}
		case s.visitor == nil && kind == 'D':
			if why := each(name); why != "" {
				return s.refuse(string(name), "%s", why)
			}
		}
		if err := s.pass(p); err != nil {
			return err
		}
	}
}
