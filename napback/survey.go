package main

import (
	"io"
	"path/filepath"
	"time"

	"napback/napback/snapshot"
	"napback/napback/state"
)

// survey is how the directories of a source are now, compared with what the
// snapshot of the last run knows of them. tar looks at names, inode numbers and
// times alone, which another disk may have, too.
type survey struct {
	source *tarSource
	base   *state.Point
	then   systems
	now    identities
	start  time.Time       // of the last run
	stale  map[string]bool // directories, by name as tar knows them, that are on another file system than they were
	older  string          // a path whose times have gone back, or ""
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

// survey compares the source with what a DIFF builds on.
func (s *tarSource) survey(b *backup, base *state.Point) (*survey, error) {
	f, err := b.state.OpenSnapshot(base)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := snapshot.NewReader(f)
	if err != nil {
		return nil, err
	}
	v := &survey{source: s, base: base, then: systemsOf(base), now: identities{}, start: r.Start, stale: map[string]bool{}}
	for {
		d, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		v.directory(d)
	}
	v.files()
	return v, nil
}

// directory looks at a directory that the snapshot knows. One that is no more, or
// has another inode, tar finds itself.
func (v *survey) directory(d *snapshot.Directory) {
	path := filepath.Join("/", d.Name)
	now, err := lookAt(path)
	if err != nil || !now.dir {
		return
	}
	switch {
	case v.now.of(now.dev, path) != v.then.at(path):
		v.stale[d.Name] = true
	case now.ino != d.Inode || v.older != "" || sameTime(d.Modified, now.modified):
	case v.before(now.changed) && v.before(now.modified):
		// Whoever changes a directory, or sets its time back, changes its
		// ctime, too.
		v.older = path
	}
}

// before tells that tar takes what changed at that time as stored.
func (v *survey) before(t time.Time) bool { return t.Before(v.start.Add(-snapshot.Overlap)) }

// files looks at the files that had changed last. What was only written to
// shows in no directory.
func (v *survey) files() {
	for _, w := range v.base.Newest {
		path := "/" + unescape(w.Name)
		now, err := lookAt(path)
		if err == nil && now.ino == w.Inode && now.changed.Before(w.Changed) && !sameTime(w.Changed, now.changed) && v.older == "" {
			v.older = path
		}
	}
}

// otherSource tells that the source itself is on another file system.
func (v *survey) otherSource() bool { return v.stale[v.source.member] }

// sameTime compares a time with one that a file system may meanwhile have cut to
// seconds, or to two.
func sameTime(then, now time.Time) bool {
	lost := then.Sub(now)
	return lost == 0 || now.Nanosecond() == 0 && lost > 0 && lost < 2*time.Second
}
