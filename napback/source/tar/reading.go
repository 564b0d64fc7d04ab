package tar

import (
	"fmt"
	"io"
	"os"
	"time"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/chain"
	"napback/napback/snapshot"
	"napback/napback/source"
	"napback/napback/state"
)

// WhyNotDiff returns what speaks against a DIFF on this host, or "".
func (s *directory) WhyNotDiff(t source.Turn) string {
	base := t.Base
	switch now := escape(s.real); {
	case base.Real == "" && s.read != s.source:
		return "the last backup has not noted where the source leads to"
	case base.Real != "" && base.Real != now:
		return fmt.Sprintf("another directory is at the source's path: it leads to %s, and led to %s", now, base.Real)
	}
	v, err := s.inspect(t.State, base)
	_, readable := stillUnread(base.Unread)
	switch {
	case err != nil:
		return err.Error()
	case v.start.After(t.Now()):
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

// Unchanged is never known before tar has looked.
func (s *directory) Unchanged(*state.Point) bool { return false }

func (s *directory) Empty() bool {
	f, err := os.Open(s.read)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

func (s *directory) Unpack() string { return Unpack }

func (s *directory) Explain(err error) error { return err }

// Plan is tar on a snapshot that a person copies by hand.
func (s *directory) Plan(t source.Turn) (before string, stages []chain.Stage, err error) {
	kept, work := t.State.Paths(t.Base)
	before = ": >" + shell.Quote(work)
	if t.Base != nil {
		before = "cp -- " + shell.Quote(kept, work)
	}
	return before, []chain.Stage{s.stage(work)}, nil
}

// reading is one run of tar.
type reading struct {
	source.Turn
	of     *directory
	work   string            // the snapshot that tar works on
	start  time.Time         // nothing counts as changed before
	points map[string]string // what was mounted in the source when tar began
	report report
	empty  bool
}

// Begin prepares the snapshot that tar works on.
func (s *directory) Begin(t source.Turn) (source.Reading, error) {
	r := &reading{Turn: t, of: s, empty: s.Empty()}
	if err := r.prepareSnapshot(); err != nil {
		r.End()
		return nil, err
	}
	return r, nil
}

func (r *reading) Stages() []chain.Stage { return []chain.Stage{r.of.stage(r.work)} }

// End removes the file that is not needed any more.
func (r *reading) End() {
	if r.work != "" {
		os.Remove(r.work) // a kept snapshot has another name by now
	}
}

// prepareSnapshot makes the file that tar works on (step 4).
func (r *reading) prepareSnapshot() error {
	work, err := r.State.NewFile()
	if err != nil {
		return err
	}
	r.work = work.Name()
	defer work.Close()
	base := r.Base
	if base == nil {
		r.points = r.of.pointsIn(identities{})
		return nil
	}
	old, err := r.State.OpenSnapshot(base)
	if err != nil {
		return err
	}
	defer old.Close()
	v := r.of.newInspection(base)
	r.points = r.of.pointsIn(v.now)
	whole := r.of.changedFiles(unescaped(base.Points), r.points)
	started, err := snapshot.Rewrite(work, old, func(d *snapshot.Directory) bool { return v.directory(d) && !whole[d.Name] })
	if err != nil {
		return err
	}
	r.start = started.Add(-snapshot.Overlap)
	return nil
}

func (r *reading) Heard(stage, line string) bool {
	return stage != "tar" || r.report.line(line)
}

func (r *reading) Bytes() int64 { return r.report.bytes }

// Finish judges what tar said, and makes its snapshot durable under the name of
// the run.
func (r *reading) Finish(p *state.Point, upstream []chain.Status) (err error) {
	if err := r.report.judge(upstream[0], r.of.member); err != nil {
		return err
	}
	if r.report.moved != "" {
		return moved(r.report.moved)
	}
	if r.Base != nil {
		name, err := brokenLink(r.work, r.of.read, r.start)
		if err != nil {
			return err
		}
		if name != "" {
			return splitLink(name)
		}
	}
	if err := r.remember(p); err != nil {
		return err
	}
	p.Empty, p.Unread, p.UnreadAll = r.empty, r.report.unread, r.report.unnamed
	if base := r.Base; base != nil {
		// tar does not try again what has not changed.
		still, _ := stillUnread(base.Unread)
		p.Unread = union(still, p.Unread)
	}
	r.tellGone()
	r.tellUnread(p)
	p.Snapshot, p.Sum, err = r.State.Keep(r.work, p.Run)
	return err
}

// tellGone warns of what was mounted at the source or in it at the last backup and
// is no more.
func (r *reading) tellGone() {
	before := r.Before
	if before == nil {
		return
	}
	for _, dir := range r.of.gone(unescaped(before.Points), r.points) {
		r.Warn(fmt.Sprintf("the file system that was mounted at %q is GONE, and its files are not in the archive: has it not been mounted?", dir))
	}
}

// tellUnread warns of what is not in the archive, or not as it was.
func (r *reading) tellUnread(p *state.Point) {
	if n := len(r.report.warnings); n > 0 {
		r.Warned(fmt.Sprintf("%s while it was read: %s", cli.Plural(n, "file changed", "files changed"), r.report.warnings[0]))
	}
	switch n := len(p.Unread); {
	case p.UnreadAll:
		r.Warn("some files could not be read and are not in the archive")
	case n > 0:
		r.Warn(fmt.Sprintf("%s not in the archive: %s", cli.Plural(n, "file could not be read and is", "files could not be read and are"), unescape(p.Unread[0])))
	}
}

// splitLink tells that a DIFF would break a hard link.
func splitLink(name string) error {
	return &source.NeedsFull{Why: fmt.Sprintf("%q is a hard link to a file in a directory that was renamed", name)}
}

// moved tells that tar has noted the renaming of a directory, which it may not be
// able to restore.
func moved(said string) error {
	return &source.Again{
		Why: "while tar was looking, " + said, Always: "directories are renamed all the time",
		Hint: "stop what renames them while the backup runs (RunBefore), or Exclude their directory",
	}
}

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
