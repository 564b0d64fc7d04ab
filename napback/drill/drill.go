package drill

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/restore"
	"napback/napback/source"
	"napback/napback/state"
	"napback/napback/tools"
	"napback/napback/unpack"
)

// Drill restores archives of jobs to prove that it can be done.
type Drill struct {
	Find jobs.Finder
	Host source.Host
	From unpack.Reader // the settings are each job's
	Who  catalog.Wanted
	Dir  string // below which scratch directories are made
	Now  func() time.Time
	// Choose tells which of a job's archives are restored.
	Choose func(catalog.Archives) (catalog.RecoveryPoint, error)

	AcceptPlain bool // also archives that are not encrypted
}

// Report tells what a drill has proved.
type Report struct {
	Point  catalog.RecoveryPoint
	Proved string // in words
	// Notes are what was not proved, and why.
	Notes []string
	// Wrong are things that are not as they were backed up.
	Wrong    []string
	Fetched  int64 // bytes, from the bucket
	Restored int64 // bytes: of files, of the dump, or of what has loaded it
	Took     time.Duration
	Warnings bool // there were some, and they have been told
}

// Job proves that archives of a job can be restored, and notes it in the job's account
// if this machine has one. An error tells why they could not be restored.
func (d *Drill) Job(ctx context.Context, t jobs.Target) (Report, error) {
	var r Report
	err := d.prove(ctx, t, &r)
	if ctx.Err() == nil && t.Job != nil && d.ours(t, r.Point) {
		switch bad := d.note(t, r, err); {
		case errors.Is(bad, fs.ErrNotExist): // as on an administrator's machine
			d.From.Log.Verbosef("job %q: status cannot tell of this: %v", t.Name, bad)
		case bad != nil:
			d.From.Log.Warnf("job %q: status cannot tell of this: %v", t.Name, bad)
		}
	}
	return r, err
}

// ours tells that a point is what the job's account is about: not what somebody else
// has stored whose archives were asked for.
func (d *Drill) ours(t jobs.Target, p catalog.RecoveryPoint) bool {
	return d.Who.Owner == "" && d.Who.Host == "" || p.Owner != "" && p.Owner == d.Find.Record(t).Owner
}

// note keeps what was proved.
func (d *Drill) note(t jobs.Target, r Report, err error) error {
	dir, bad := state.Open(t.Settings.DiffDir)
	if bad != nil {
		return bad
	}
	p := state.Proof{At: d.Now().UTC(), Date: r.Point.Date(), Proved: r.Proved, Bytes: r.Restored, Seconds: r.Took.Seconds()}
	if r.Point.Run != "" {
		p.Archive = r.Point.Name + ":" + r.Point.Run
	}
	switch {
	case err != nil:
		p.Failed, p.Reason = true, cli.FirstLine(err.Error())
	case len(r.Wrong) > 0:
		p.Failed, p.Reason = true, r.Wrong[0]
	}
	return dir.Job(tools.StateKey(t.Job, d.Find.Kit.Env)).Proved(p)
}

// prove restores.
func (d *Drill) prove(ctx context.Context, t jobs.Target, r *Report) error {
	archives, _, err := d.Find.Archives(ctx, t, d.Who)
	if err != nil {
		return err
	}
	p, err := d.Choose(archives)
	if err != nil {
		return err
	}
	d.Find.Warn(t, archives, p)
	r.Point = p
	for _, a := range p.Chain {
		if err := t.Trust(a, d.AcceptPlain); err != nil {
			return err
		}
		r.Fetched += a.Bytes
	}
	scratch, err := os.MkdirTemp(d.Dir, "napback-drill-")
	if err == nil {
		scratch, err = filepath.Abs(scratch) // servers have a working directory of their own
	}
	if err != nil {
		return cli.WithHint(fmt.Errorf("make a scratch directory: %w", err), "--dir DIR makes it elsewhere")
	}
	defer func() {
		if err := removeAll(scratch); err != nil {
			d.From.Log.Warnf("the scratch directory %q could not be removed: %v", scratch, err)
		}
	}()
	from := d.From
	from.Settings = t.Settings
	kind, made := jobs.KindOf(p.Source())
	one := &trying{Drill: d, target: t, kind: kind, report: r,
		request: restore.Request{From: from, Job: t.Name, Point: p, Source: made, To: filepath.Join(scratch, "restored")}}
	one.live = d.isLive(t, kind, made, p)
	began := time.Now() // a span, which no clock that is set can change
	if kind.Tree {
		err = one.tree(ctx)
	} else {
		err = one.stream(ctx, scratch)
	}
	r.Took = time.Since(began)
	return err
}

// isLive tells that the source of a job is on this host, and is what a point's
// archives are of: they were stored under the owner id of this DiffDir.
func (d *Drill) isLive(t jobs.Target, kind source.Kind, made string, p catalog.RecoveryPoint) bool {
	if t.Job == nil || t.Job.Kind.Name != kind.Name || t.Job.Source != made || p.Owner == "" {
		return false
	}
	return d.Find.Record(t).Owner == p.Owner
}

// trying is one drill.
type trying struct {
	*Drill
	target  jobs.Target
	kind    source.Kind
	report  *Report
	request restore.Request
	live    bool
}

func (o *trying) note(format string, args ...any) {
	o.report.Notes = append(o.report.Notes, fmt.Sprintf(format, args...))
}

// tree restores a directory, and compares it with the live one.
func (o *trying) tree(ctx context.Context) error {
	tree, err := restore.NewTree(ctx, o.request, false, nil)
	if err != nil {
		return err
	}
	tree.Announce()
	done, err := tree.Run(ctx, nil)
	if err != nil {
		return err
	}
	o.report.Warnings = done.Warnings
	return o.compare(ctx)
}

// stream loads the dump of a database or repository into a place of its own, or
// reads it where there is none.
func (o *trying) stream(ctx context.Context, scratch string) error {
	s := &restore.Stream{Request: o.request}
	s.Announce()
	trial, err := o.trial(ctx, scratch)
	var absent *source.Absent
	switch {
	case errors.As(err, &absent):
		o.note("not loaded: %s", absent.What)
		counted := &counter{}
		err = s.Copy(ctx, counted)
		o.report.Proved, o.report.Restored = fmt.Sprintf("read %s to its end", cli.FormatSize(counted.n)), counted.n
		return err
	case err != nil:
		return fmt.Errorf("make a place to load it into: %w", err)
	}
	defer trial.End()
	s.Loader = trial
	before, err := size(scratch) // an empty server takes some, too
	if err != nil {
		return err
	}
	if _, err := s.Run(ctx); err != nil {
		return err
	}
	if o.report.Proved, err = trial.Prove(ctx); err != nil {
		o.report.Wrong = append(o.report.Wrong, err.Error())
	}
	after, err := size(scratch)
	o.report.Restored = max(0, after-before)
	return err
}

func (o *trying) trial(ctx context.Context, scratch string) (source.Trial, error) {
	if o.kind.Try == nil {
		return nil, &source.Absent{What: fmt.Sprintf("nothing loads a %s on trial", cli.Safe(o.kind.Name))}
	}
	job := config.Job{Kind: o.kind, Source: o.request.Source, Name: o.target.Name, Settings: *o.target.Settings}
	return o.kind.Try(ctx, o.Host, source.Trying{Job: job.OfSource(), Dir: scratch, Live: o.live,
		Signed: len(o.target.Settings.VerifyKeys()) > 0 && !o.target.Settings.AcceptUnsigned})
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
