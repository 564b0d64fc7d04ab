// Package backup stores what the sources of jobs hold, and removes what is no longer
// needed. The steps of a job (type Backup):
//
//  1. Find out what is known of the job (type Survey): its state of this store, and
//     what the bucket holds. If the bucket does not answer, the job fails.
//  2. Settle a pending state: promote it if its run is committed and whole, else
//     drop it.
//  3. Decide (package decide): due? done? which slot? FULL or DIFF, and on what? What a
//     DIFF would build on is counted first.
//  4. Copy the snapshot that a DIFF builds on, made safe (package snapshot); a
//     FULL begins with an empty one. tar works on the copy.
//  5. Run tar | compressor | pgpipe | s3put. s3put names its run and uploads.
//  6. When tar, compressor and pgpipe have succeeded: judge what tar said; make
//     the copy durable under the run's name; save it as pending; only then tell
//     s3put to commit.
//  7. When s3put has committed, and found its objects all there: promote the
//     pending state, and list the run as stored here.
//  8. Retire what is no longer needed (package retire): look at the bucket
//     again, decide, count what takes the places of others, remove by exact run.
//
// What a crash leaves:
//
//   - before 6: the state as it was, and perhaps chunks without a manifest, which
//     s3put removes two days later. The next run does the day again.
//   - in 6, before the pending state is durable: the same.
//   - after that, before s3put has the word: s3put commits nothing; step 2 of the
//     next run drops the pending state.
//   - while s3put commits: step 2 sees whether the archive is there.
//   - after the commit, before the promotion: step 2 promotes. Where the bucket
//     cannot be listed it drops the state, and the next increment is larger.
//   - in 8: some are removed, and none that is needed. The next run goes on.
//
// Until the promotion the old snapshot is there, and to use it again is always
// right: the increment is then a larger one.
package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/priority"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/state"
	"napback/napback/tools"
)

// Backup is one job on its way.
type Backup struct {
	host       Host
	day        decide.Day // as it is asked for
	options    Options
	job        *config.Job
	dir        *state.Dir
	source     source.Source
	compressor programs.Compressor

	*Survey  // since step 1; what it found changes as steps are done
	decision *decide.Decision
	warnings []string
	left     *catalog.Contents // see Left
}

// Options are what was found out before the first job runs.
type Options struct {
	// Keys are the fingerprints that each set of recipients stands for.
	Keys Keys
	// Lower finds the programs that lower the priority of stages.
	Lower func() priority.Programs
	// Begins is told as soon as it is known that there is something to do; may be nil.
	Begins func()
	// Found is a Survey of the job from just before, with nothing in between that
	// could have changed what it saw; nil = make one.
	Found *Survey
	// Progress, if not nil, shows how far the chain is.
	Progress *cli.Progress
}

// New makes what a job needs to run, before it touches anything.
func New(ctx context.Context, h Host, day decide.Day, o Options, job *config.Job) (*Backup, error) {
	from, err := h.OpenSource(ctx, job)
	if err != nil {
		return nil, err
	}
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil {
		return nil, err
	}
	b := &Backup{host: h, day: day, options: o, job: job, dir: dir, source: from}
	if b.compressor, err = h.Kit.Compressor(job.Settings.Compression); err != nil {
		return nil, err
	}
	return b, nil
}

// Outcome is how a job ended.
type Outcome string

// The outcomes of a backup that did not fail.
const (
	Done       Outcome = "ok"
	DoneWarned Outcome = "warnings"
	DoneBefore Outcome = "done today"
	NotDue     Outcome = "not due"
	NothingNew Outcome = "nothing new"
)

// Result is what a backup has done.
type Result struct {
	Outcome Outcome
	Archive string // its name, "" if nothing was stored
	Run     string // of that archive
	Read    int64  // bytes, from the source
	Stored  tools.Stored
	Note    string // a line about what was warned of
}

// Decision is what the backup was decided to do, nil before that.
func (b *Backup) Decision() *decide.Decision { return b.decision }

// Left is what the bucket holds of the job afterwards, nil if nobody has asked it.
func (b *Backup) Left() *catalog.Contents { return b.left }

// Run does all steps. After an error the result tells how far it came.
func (b *Backup) Run(ctx context.Context) (r Result, err error) {
	found := b.options.Found
	if found == nil {
		if found, err = b.host.Survey(ctx, b.job, b.dir, b.day); err != nil {
			return r, err
		}
	}
	b.left = &catalog.Contents{Time: found.Contents.Time, ListDenied: found.Contents.ListDenied, Runs: slices.Clone(found.Contents.Runs)}
	if err := b.decide(ctx, found, b.note, b.warn); err != nil {
		return r, err
	}
	if err := b.settleState(); err != nil {
		return r, err
	}
	d := b.decision
	switch {
	case d.Done && !b.Force:
		return Result{Outcome: DoneBefore}, nil
	case !d.Due && !b.Force:
		return Result{Outcome: NotDue}, nil
	}
	if b.options.Begins != nil {
		b.options.Begins()
	}
	if d.Nothing {
		b.Record.Checked = &b.Today // for status
		return Result{Outcome: NothingNew}, b.State.Save(b.Record)
	}
	if d.Why != "" {
		b.note("making a FULL: " + d.Why)
	}
	b.checkEmpty()
	if err := b.storeWell(ctx, &r); err != nil {
		return r, err
	}
	b.retire(ctx)
	r.Outcome = Done
	if len(b.warnings) > 0 {
		r.Outcome, r.Note = DoneWarned, Summarise(b.warnings)
	}
	return r, nil
}

// settleState makes durable what the survey has found out, and makes the id to
// store under if there is none.
func (b *Backup) settleState() error {
	var err error
	if b.Self.Owner == "" {
		if b.Self.Owner, err = b.dir.MakeOwner(); err != nil {
			return err
		}
	}
	switch {
	case b.Legacy:
		b.Record, err = b.State.TakeOver(b.Record)
	case b.Changed:
		err = b.State.Save(b.Record)
	}
	return err
}

// maxTries bounds how often a chain is run again because directories were
// renamed while tar was looking at them.
const maxTries = 3

// storeWell runs the chain, and runs it again if tar has made an archive that
// could not be restored exactly. That shows only afterwards, but early enough
// not to commit it. One that is like that in the last try, too, is never
// committed: its notes on renames are what a restore refuses.
func (b *Backup) storeWell(ctx context.Context, r *Result) error {
	for try := 1; ; try++ {
		err := b.store(ctx, r)
		var full *source.NeedsFull
		var again *source.Again
		switch {
		case ctx.Err() != nil:
			return err
		case errors.As(err, &full):
			b.note("making a FULL: " + full.Why)
			b.decision.Kind, b.decision.Why, b.decision.Base = slot.Full, full.Why, nil
		case errors.As(err, &again) && try >= maxTries:
			return cli.WithHint(fmt.Errorf("%s, %d times %w", again.Always, try, again), "%s", again.Hint)
		case errors.As(err, &again):
			b.note("beginning again: " + again.Why)
		default:
			return err
		}
	}
}

// decide does step 3. It changes nothing but b.
func (b *Backup) decide(ctx context.Context, found *Survey, note, warn func(string)) error {
	b.Survey = found
	p := found.Planner(b.job, hashOf(b.job, b.source.Hash()))
	d, err := p.Plan()
	for err == nil && d.Base != nil && !b.Contents.ListDenied {
		// What it would build on must be whole. What is not, is not there.
		var chain []catalog.Entry
		var more bool
		chain, _ = p.Chain(d.Base)
		if more, err = b.host.Store(b.job).Count(ctx, b.Contents, chain); err != nil || !more {
			break
		}
		d, err = p.Plan()
	}
	if err != nil {
		return err
	}
	b.decision = d
	for _, text := range found.Notes {
		note(text)
	}
	if (d.Due && !d.Done) || b.Force {
		for _, text := range append(found.Warnings, d.Warnings...) {
			warn(text)
		}
	}
	if d.Base != nil {
		if d.Why = b.source.WhyNotDiff(b.turn()); d.Why != "" {
			d.Kind, d.Base = slot.Full, nil
		}
	}
	d.Nothing = d.Base != nil && b.source.Unchanged(d.Base)
	return nil
}

// checkEmpty warns of a source that is empty and was not.
func (b *Backup) checkEmpty() {
	before := b.decision.Before
	if before != nil && !before.Empty && b.source.Empty() {
		b.warn("the source is EMPTY, and was not at the last backup: is its disk mounted?")
	}
}

// warn tells of something that makes the run end with warnings.
func (b *Backup) warn(text string) {
	text = cli.Safe(text)
	b.warnings = append(b.warnings, text)
	b.host.Log.Warnf("%s", text)
}

func (b *Backup) note(text string) { b.host.Log.Notef("%s", cli.Safe(text)) }

// Summarise shortens warnings to a line.
func Summarise(warnings []string) string {
	if len(warnings) == 1 {
		return warnings[0]
	}
	return fmt.Sprintf("%s (and %d more)", warnings[0], len(warnings)-1)
}

// turn is what the source of b gets of b's decision.
func (b *Backup) turn() source.Turn {
	return source.Turn{
		State: b.State, Base: b.decision.Base, Before: b.decision.Before, Now: b.host.Now,
		Warn: b.warn, Warned: func(text string) { b.warnings = append(b.warnings, text) },
	}
}

// hashOf hashes what makes a chain with the schedule, whose changes begin a new
// one too.
func hashOf(job *config.Job, parts []any) string {
	data, err := json.Marshal(append(parts, job.Settings.Schedule, fmt.Sprintf("%T", job.Settings.Schedule)))
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
