package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/snapshot"
	"napback/napback/state"
)

// whyNotDiff returns what speaks against a DIFF on this host, or "".
func (s *tarSource) whyNotDiff(b *jobBackup, base *state.Point) string {
	if now := escape(s.real); base.Real != "" && base.Real != now {
		return fmt.Sprintf("another directory is at the source's path: it leads to %s, and led to %s", now, base.Real)
	}
	v, err := s.inspect(b, base)
	_, readable := stillUnread(base.Unread)
	switch {
	case err != nil:
		return err.Error()
	case v.start.After(b.now()):
		return fmt.Sprintf("the clock has gone back: the last backup began at %s", v.start.Local().Format(time.DateTime))
	case v.moved && len(base.Systems) == 0:
		return "the last backup has not noted which file system it was of"
	case v.moved:
		return "another file system is mounted at the source"
	case v.older != "":
		return fmt.Sprintf("%q is not what it was at the last backup, and yet not newer: its file system has been rolled back or replaced, or its clock was wrong", v.older)
	case readable != "":
		return fmt.Sprintf("%q could not be read before and now can be", readable)
	case base.UnreadAll:
		return "files could not be read before whose names are not known"
	}
	return ""
}

// unchanged is never known before tar has looked.
func (s *tarSource) unchanged(*state.Point) bool { return false }

func (s *tarSource) empty() bool { return isEmpty(s.source) }

func isEmpty(dir string) bool {
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

func (s *tarSource) unpack() string { return unpackCommand }

func (s *tarSource) explain(err error) error { return err }

// plan is tar on a snapshot that a person copies by hand.
func (s *tarSource) plan(b *jobBackup) (before string, stages []chain.Stage, err error) {
	kept, work := b.state.Paths(b.decision.Base)
	before = ": >" + chain.Quote(work)
	if b.decision.Base != nil {
		before = "cp -- " + chain.Quote(kept, work)
	}
	return before, []chain.Stage{s.stage(b.kit, work)}, nil
}

// tarReading is one run of tar.
type tarReading struct {
	*jobBackup
	source *tarSource
	work   string            // the snapshot that tar works on
	start  time.Time         // nothing counts as changed before
	points map[string]string // what was mounted in the source when tar began
	report tarReport
	empty  bool
}

func (s *tarSource) begin(b *jobBackup) (reading, error) {
	r := &tarReading{jobBackup: b, source: s, empty: s.empty()}
	if err := r.prepareSnapshot(); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (r *tarReading) stages() []chain.Stage {
	return []chain.Stage{r.source.stage(r.kit, r.work)}
}

// end removes the file that is not needed any more.
func (r *tarReading) end() {
	if r.work != "" {
		os.Remove(r.work) // a kept snapshot has another name by now
	}
}

// prepareSnapshot makes the file that tar works on (step 4).
func (r *tarReading) prepareSnapshot() error {
	work, err := r.state.NewFile()
	if err != nil {
		return err
	}
	r.work = work.Name()
	defer work.Close()
	base := r.decision.Base
	if base == nil {
		r.points = r.source.pointsIn(identities{})
		return nil
	}
	old, err := r.state.OpenSnapshot(base)
	if err != nil {
		return err
	}
	defer old.Close()
	v := r.source.newInspection(base)
	r.points = r.source.pointsIn(v.now)
	whole := r.source.changedFiles(unescaped(base.Points), r.points)
	started, err := snapshot.Rewrite(work, old, func(d *snapshot.Directory) bool { return v.directory(d) && !whole[d.Name] })
	if err != nil {
		return err
	}
	r.start = started.Add(-snapshot.Overlap)
	return nil
}

func (r *tarReading) heard(stage, line string) bool {
	return stage != "tar" || r.report.line(line)
}

func (r *tarReading) bytes() int64 { return r.report.bytes }

// finish judges what tar said, and makes its snapshot durable under the name of
// the run.
func (r *tarReading) finish(p *state.Point, upstream []chain.Status) (err error) {
	if err := r.report.judge(upstream[0], r.source.member); err != nil {
		return err
	}
	if r.report.moved != "" {
		return &movedError{r.report.moved}
	}
	if r.decision.Base != nil {
		name, err := brokenLink(r.work, r.source.source, r.start)
		if err != nil {
			return err
		}
		if name != "" {
			return &splitLinkError{name}
		}
	}
	if err := r.remember(p); err != nil {
		return err
	}
	p.Empty, p.Unread, p.UnreadAll = r.empty, r.report.unread, r.report.unnamed
	if base := r.decision.Base; base != nil {
		// tar does not try again what has not changed.
		still, _ := stillUnread(base.Unread)
		p.Unread = union(still, p.Unread)
	}
	r.tellGone()
	r.tellUnread(p)
	p.Snapshot, p.Sum, err = r.state.Keep(r.work, p.Run)
	return err
}

// tellGone warns of what was mounted at the source or in it at the last backup and
// is no more.
func (r *tarReading) tellGone() {
	before := r.decision.Before
	if before == nil {
		return
	}
	for _, dir := range r.source.gone(unescaped(before.Points), r.points) {
		r.warn(fmt.Sprintf("the file system that was mounted at %q is GONE, and its files are not in the archive: has it not been mounted?", dir))
	}
}

// tellUnread warns of what is not in the archive, or not as it was.
func (r *tarReading) tellUnread(p *state.Point) {
	if n := len(r.report.warnings); n > 0 {
		r.warnings = append(r.warnings, fmt.Sprintf("%s while it was read: %s", cli.Plural(n, "file changed", "files changed"), r.report.warnings[0]))
	}
	switch n := len(p.Unread); {
	case p.UnreadAll:
		r.warn("some files could not be read and are not in the archive")
	case n > 0:
		r.warn(fmt.Sprintf("%s could not be read and %s not in the archive: %s", cli.Plural(n, "file", "files"), map[bool]string{true: "is", false: "are"}[n == 1], unescape(p.Unread[0])))
	}
}

// splitLinkError tells that a DIFF would break a hard link.
type splitLinkError struct{ name string }

func (e *splitLinkError) Error() string {
	return fmt.Sprintf("%q is a hard link to a file in a directory that was renamed", e.name)
}

// movedError tells that tar has noted the renaming of a directory, which it may
// not be able to restore.
type movedError struct{ said string }

func (e *movedError) Error() string { return "while tar was looking, " + e.said }

// union joins two lists without repetitions.
func union(a, b []string) []string {
	seen := map[string]bool{}
	var all []string
	for _, list := range [][]string{a, b} {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}
