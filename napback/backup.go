package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/config"
	"napback/napback/state"
)

// backup is one job on its way. Its steps:
//
//  1. Load the local state, and look what the bucket holds of the job. If the
//     bucket does not answer, the job fails. Credentials that must not look
//     leave the local state to decide.
//  2. Settle a pending state: promote it if its run is committed, else drop it.
//  3. Decide (planner): due? done? which slot? FULL or DIFF, and on what?
//  4. Copy the snapshot that a DIFF builds on, made safe (package snapshot); a
//     FULL begins with an empty one. tar works on the copy.
//  5. Run tar | compressor | pgpipe | s3put. s3put names its run and uploads.
//  6. When tar, compressor and pgpipe have succeeded: judge what tar said; make
//     the copy durable under the run's name; save it as pending; only then tell
//     s3put to commit.
//  7. When s3put has committed: promote the pending state, remove what it
//     replaces.
//  8. Retire what the slot held before under the other type.
//
// A crash before 6 leaves the state as it was, a crash after it a pending state
// for step 2 of the next run. Until the promotion the old snapshot is there, and
// to use it again is always right: the increment is then a larger one.
type backup struct {
	*engine
	job        *config.Job
	state      *state.Job
	source     source
	compressor compressor

	record   state.Record
	settled  bool // record is not the one on disk: a pending state was settled
	held     *holdings
	decision *decision
	warnings []string
}

func (b *backup) run(ctx context.Context, r *result) error {
	if err := b.prepare(ctx, b.note); err != nil {
		return err
	}
	if b.settled {
		if err := b.state.Save(b.record); err != nil {
			return err
		}
	}
	d := b.decision
	switch {
	case d.done && !b.force:
		r.outcome = doneBefore
		return nil
	case !d.due && !b.force:
		r.outcome = notDue
		return nil
	case d.nothing:
		r.outcome = nothingNew
		return b.checked()
	}
	if d.why != "" {
		b.note("making a FULL: " + d.why)
	}
	b.checkEmpty()
	if err := b.storeWell(ctx, r); err != nil {
		return err
	}
	b.retire(ctx)
	r.outcome = doneNow
	if len(b.warnings) > 0 {
		r.outcome, r.note = doneWarned, summarise(b.warnings)
	}
	return nil
}

// maxTries bounds how often a chain is run again because directories were
// renamed while tar was looking at them.
const maxTries = 3

// storeWell runs the chain, and runs it again if tar has made an archive that
// could not be restored exactly. That shows only afterwards, but early enough
// not to commit it.
func (b *backup) storeWell(ctx context.Context, r *result) error {
	for try := 1; ; try++ {
		err := b.store(ctx, r, try >= maxTries)
		var split *splitLinkError
		var moved *movedError
		switch {
		case ctx.Err() != nil:
			return err
		case errors.As(err, &split):
			b.note("making a FULL: " + split.Error())
			b.decision.kind, b.decision.why, b.decision.base = slot.Full, split.Error(), nil
		case errors.As(err, &moved):
			b.note("beginning again: " + moved.Error())
		default:
			return err
		}
	}
}

// prepare does steps 1 to 3. It changes nothing but b.
func (b *backup) prepare(ctx context.Context, note func(string)) error {
	h, err := b.tools.look(ctx, b.job, stageLines(b.log, nil))
	if err != nil {
		return err
	}
	if h.blind {
		note("the credentials do not allow to list the bucket: relying on the local state")
	}
	return b.decide(h, note)
}

// decide does steps 2 and 3 on what the bucket holds.
func (b *backup) decide(h *holdings, note func(string)) error {
	b.held = h
	record, err := b.state.Load()
	if err != nil {
		b.warn(fmt.Sprintf("%v: going on without it", err))
	}
	var said string
	b.record, said = reconcile(record, h)
	if b.settled = record.Pending != nil; b.settled {
		note(said)
	}
	p := planner{job: b.job, host: b.host, today: b.today, force: b.force, hash: b.source.hash(b.job), record: b.record, held: h}
	if b.decision, err = p.plan(); err != nil {
		return err
	}
	if d := b.decision; d.base != nil {
		if d.why = b.source.whyNotDiff(b, d.base); d.why != "" {
			d.kind, d.base = slot.Full, nil
		}
	}
	d := b.decision
	d.nothing = d.base != nil && b.source.unchanged(d.base)
	return nil
}

// checkEmpty warns of a source that is empty and was not.
func (b *backup) checkEmpty() {
	before := b.decision.before
	if before != nil && !before.Empty && b.source.empty() {
		b.warn("the source is EMPTY, and was not at the last backup: is its disk mounted?")
	}
}

// checked remembers that there was nothing to store today, for status.
func (b *backup) checked() error {
	b.record.Checked = &b.today
	return b.state.Save(b.record)
}

// retire removes what the slot held under the other type (step 8). What cannot
// be removed does no harm: restores choose archives by date.
func (b *backup) retire(ctx context.Context) {
	p := planner{job: b.job, held: b.held}
	name, ok := p.retired(b.decision, b.record.Current)
	if !ok {
		return
	}
	path, err := b.tools.sibling("s3rm")
	if err == nil {
		args := append(storeFlags(&b.job.Settings), "-y", b.job.Settings.Bucket+":"+name)
		_, _, err = b.tools.output(ctx, b.tools.storeStage("s3rm", path, args), stageLines(b.log, nil))
	}
	if err != nil {
		b.note(fmt.Sprintf("%s, which the new archive replaces, stays: %v", name, err))
	}
}

// warn tells of something that makes the run end with warnings.
func (b *backup) warn(text string) {
	b.warnings = append(b.warnings, text)
	b.log.Warnf("%s", text)
}

func (b *backup) note(text string) { b.log.Notef("%s", text) }

// oneLine is what people and logs get to see of foreign text.
func oneLine(text string) string { return cli.Safe(text) }

// summarise shortens warnings to a line.
func summarise(warnings []string) string {
	if len(warnings) == 1 {
		return warnings[0]
	}
	return fmt.Sprintf("%s (and %d more)", warnings[0], len(warnings)-1)
}

// runOf takes the run from the address that s3put prints.
func runOf(address, bucket, name string) (string, error) {
	run, ok := strings.CutPrefix(address, bucket+":"+name+":")
	if !ok || run == "" {
		return "", fmt.Errorf("s3put stores %q instead of %s:%s", address, bucket, name)
	}
	return run, nil
}
