package tar

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"napback/napback/snapshot"
	"napback/napback/state"
)

// unsure is noted instead of an identity where a file system took the place of
// another while tar was looking: what is on it is stored whole the next time.
const unsure = "?"

// memory gathers what the next run has to know to see whether it finds the same
// source.
type memory struct {
	reading *reading
	point   *state.Point
	then    systems // of the last run, for a DIFF
	now     identities
	own     string            // identity of the file system of the source
	other   map[string]string // directories that are on other ones
}

// remember reads the snapshot that tar has written.
func (r *reading) remember(p *state.Point) error {
	f, err := os.Open(r.work)
	if err != nil {
		return err
	}
	defer f.Close()
	p.Real, p.Systems, p.Points, p.Newest = escape(r.of.real), map[string]string{}, map[string]string{}, nil
	m := memory{reading: r, point: p, now: identities{}, other: map[string]string{}}
	if base := r.Base; base != nil {
		m.then = systemsOf(base)
	}
	if at, err := lookAt(r.of.read); err == nil {
		m.own = m.now.of(at.dev, r.of.read)
	}
	if err := eachDirectory(f, m.directory); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if m.own != "" {
		p.Systems[escape(r.of.read)] = m.own
	}
	if err := eachDirectory(f, m.top); err != nil {
		return err
	}
	m.again()
	if home := homeOf(r.of.real); home != "" {
		p.Points[escape(home)] = "dir " + m.own
	}
	for path, what := range r.points {
		if isFilePoint(what) {
			p.Points[escape(path)] = what
		}
	}
	return nil
}

// eachDirectory reads a snapshot that tar has just written.
func eachDirectory(r io.Reader, visit func(*snapshot.Directory)) error {
	s, err := snapshot.NewReader(r)
	if err == nil {
		err = s.Each(visit)
	}
	if err != nil {
		return fmt.Errorf("what tar has written: %w", err)
	}
	return nil
}

// eachStored reads which files tar has stored, by their paths.
func eachStored(r io.Reader, visit func(path string)) error {
	return eachDirectory(r, func(d *snapshot.Directory) {
		for _, name := range d.Stored {
			visit(filepath.Join("/", d.Name, name))
		}
	})
}

// directory takes what the snapshot tells of one directory.
func (m *memory) directory(d *snapshot.Directory) {
	path := filepath.Join("/", d.Name)
	at, err := lookAt(path)
	if err != nil {
		return // it is no more, and so is what was known of it
	}
	id := m.identity(d, path, at)
	if id != m.own {
		m.other[path] = id
	}
	if what := m.reading.points[path]; what != "" && !isFilePoint(what) {
		m.dirPoint(path, id)
	}
	if !steadyTimes(id) {
		return
	}
	for _, name := range d.Stored {
		file := filepath.Join(path, name)
		if f, err := lookAt(file); err == nil && f.dev == at.dev {
			m.newest(state.Seen{Name: escape(file[1:]), Inode: f.ino, Changed: f.changed})
		}
	}
}

// identity is that of the file system of a directory, if it is still the one that
// tar has met. A directory that tar knew already has no device, as Rewrite has
// taken it: then it has to be the one that it was known on.
func (m *memory) identity(d *snapshot.Directory, path string, at stat) string {
	id := m.now.of(at.dev, path)
	if d.Device == 0 && m.then != nil && id != m.then.at(path) || d.Device != 0 && d.Device != at.dev {
		return unsure
	}
	return id
}

// top notes a directory that is on another file system than the one that it is
// in, and that this is a mount point: the table of mounts may be missing.
func (m *memory) top(d *snapshot.Directory) {
	path := filepath.Join("/", d.Name)
	id, other := m.other[path]
	if path == m.reading.of.read {
		if other {
			m.point.Systems[escape(path)] = id // it is unsure
		}
		return
	}
	if !other {
		id = m.own
	}
	above, other := m.other[filepath.Dir(path)]
	if !other {
		above = m.own
	}
	if id != above {
		m.point.Systems[escape(path)] = id
		m.dirPoint(path, id)
	}
}

// dirPoint notes that something is mounted on a directory whose files tar has
// stored.
func (m *memory) dirPoint(path, id string) {
	if id != unsure && !fleeting(id) && (id == m.own || !m.reading.of.staysOnOne()) {
		m.point.Points[escape(path)] = "dir " + id
	}
}

// again looks again at the files that had changed last before.
func (m *memory) again() {
	base := m.reading.Base
	if base == nil {
		return
	}
	for _, w := range base.Newest {
		if at, err := lookAt("/" + unescape(w.Name)); err == nil && at.ino == w.Inode {
			m.newest(state.Seen{Name: w.Name, Inode: at.ino, Changed: at.changed})
		}
	}
}

// maxNewest bounds how many files are remembered that had changed last.
const maxNewest = 32

// newest keeps the files that changed last, the last one first.
func (m *memory) newest(w state.Seen) {
	list := m.point.Newest
	if len(list) == maxNewest && !w.Changed.After(list[maxNewest-1].Changed) ||
		slices.ContainsFunc(list, func(o state.Seen) bool { return o.Name == w.Name }) {
		return
	}
	at, _ := slices.BinarySearchFunc(list, w, func(a, b state.Seen) int { return b.Changed.Compare(a.Changed) })
	list = slices.Insert(list, at, w)
	m.point.Newest = list[:min(len(list), maxNewest)]
}
