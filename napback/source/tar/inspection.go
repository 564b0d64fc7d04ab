package tar

import (
	"fmt"
	"path/filepath"
	"time"

	"napback/napback/snapshot"
	"napback/napback/state"
)

// stat is a file as the file system describes it.
type stat struct {
	dev, ino          uint64
	dir               bool
	modified, changed time.Time // mtime, ctime
}

// inspection is how the directories of a source are now, compared with what the
// snapshot of the last run knows of them. tar looks at names, inode numbers and
// times alone, which another disk may have, too.
type inspection struct {
	source *directory
	base   *state.Point
	then   systems
	now    identities
	start  time.Time // of the last run
	moved  bool      // the source itself is on another file system
	older  string    // a path that shows that this is not what was stored, or ""
}

func (s *directory) newInspection(base *state.Point) *inspection {
	return &inspection{source: s, base: base, then: systemsOf(base), now: identities{}}
}

// systems are what identifies the file systems of a source, by the paths of the
// highest directories on them.
type systems map[string]string

// systemsOf are those of a point in the state.
func systemsOf(p *state.Point) systems { return unescaped(p.Systems) }

// at returns the identity of the file system that a path is on; "" = unknown.
func (s systems) at(path string) string {
	for {
		if id, known := s[path]; known || path == "/" {
			return id
		}
		path = filepath.Dir(path)
	}
}

// unescaped returns a map of the state by the names that its keys stand for.
func unescaped(m map[string]string) map[string]string {
	plain := map[string]string{}
	for name, v := range m {
		plain[unescape(name)] = v
	}
	return plain
}

// inspect compares the source with what a DIFF builds on.
func (s *directory) inspect(kept *state.Job, base *state.Point) (*inspection, error) {
	f, err := kept.OpenSnapshot(base)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	v := s.newInspection(base)
	r, err := snapshot.NewReader(f)
	if err == nil {
		v.start = r.Start
		err = r.Each(func(d *snapshot.Directory) { v.directory(d) })
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", f.Name(), err)
	}
	v.files()
	return v, nil
}

// directory looks at a directory that the snapshot knows. It tells whether this
// is still the same one, and puts its mtime right, since tar notes that of a new
// directory and never again.
func (v *inspection) directory(d *snapshot.Directory) (same bool) {
	path := filepath.Join("/", d.Name)
	now, err := lookAt(path)
	switch {
	case err != nil || !now.dir:
		return true // tar will see that
	case v.now.of(now.dev, path) != v.then.at(path):
		v.moved = v.moved || d.Name == v.source.member
		return false
	case now.ino != d.Inode:
		return false
	case v.older == "" && !sameTime(d.Modified, now.modified) && v.before(now.changed) && v.before(now.modified):
		// Whoever changes a directory, or sets its time back, changes its
		// ctime, too.
		v.older = path
	}
	d.Modified = now.modified
	return true
}

// before tells that tar takes what changed at that time as stored.
func (v *inspection) before(t time.Time) bool { return t.Before(v.start.Add(-snapshot.Overlap)) }

// files looks at the files that had changed last. What was only written to
// shows in no directory.
func (v *inspection) files() {
	for _, w := range v.base.Newest {
		path := "/" + unescape(w.Name)
		now, err := lookAt(path)
		if err != nil || now.ino != w.Inode || v.older != "" || sameTime(w.Changed, now.changed) {
			continue
		}
		if now.changed.Before(w.Changed) || v.before(now.changed) {
			v.older = path
		}
	}
}

// sameTime compares a time with one that a file system may meanwhile have cut to
// seconds, or to two.
func sameTime(then, now time.Time) bool {
	lost := then.Sub(now)
	return lost == 0 || now.Nanosecond() == 0 && lost > 0 && lost < 2*time.Second
}
