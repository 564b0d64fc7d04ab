package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/retire"
	"napback/napback/state"
)

// deniedFor is for how many days nothing is retired after the credentials did not
// allow it: to find out what may go costs requests for every object that stays.
const deniedFor = 7

// retire removes the runs that are no longer needed (step 8). What cannot be
// removed does no harm, and is tried again after a later backup.
func (b *backup) retire(ctx context.Context) {
	if d := b.record.Denied; d != nil && b.today.Sub(*d) >= 0 && b.today.Sub(*d) < deniedFor {
		return
	}
	gone, err := b.retirable(ctx)
	if err == nil && len(gone) > 0 {
		err = b.remove(ctx, gone)
	}
	if err == nil {
		return
	}
	b.note(fmt.Sprintf("older archives of %s that are no longer needed may stay: %v", b.job.Name, err))
	if strings.Contains(err.Error(), "access denied") {
		b.record.Denied = &b.today
		if err := b.state.Save(b.record); err != nil {
			b.log.Debugf("%v", err)
		}
	}
}

// retirable returns what may go. The bucket is asked twice: the listing from
// before the backup shows whether there is anything to do at all, another one who
// builds on what now.
func (b *backup) retirable(ctx context.Context) ([]retire.Run, error) {
	// While another configuration or another machine stores under our name and id,
	// what the slots of both still need is not known.
	if b.held.blind || b.survey.rival != "" || b.survey.adopted || b.decision.twin {
		return nil, nil
	}
	p := b.survey.planner(b.engine, b.job, "")
	p.record = b.record
	p.held = &holdings{time: b.held.time, runs: slices.Clone(b.held.runs), counted: b.held.counted}
	now := b.record.Current
	p.held.runs = append(p.held.runs, catalog.Entry{Bucket: b.job.Settings.Bucket, Name: now.Name, Run: now.Run, State: catalog.Committed})
	if len(p.retirement().Gone) == 0 {
		return nil, nil
	}
	held, err := look(b.kit, ctx, b.job, stageLines(b.log, nil))
	if err != nil || held.blind {
		return nil, err
	}
	p.held = held // what was counted before the backup counts no more
	plan, err := b.decideRetirement(ctx, p)
	return plan.Gone, err
}

// decideRetirement decides what may go, and counts what takes its place: what is
// not whole replaces nothing.
func (e *engine) decideRetirement(ctx context.Context, p *planner) (retire.Plan, error) {
	for {
		plan := p.retirement()
		var rests []catalog.Entry
		for _, r := range plan.Rests {
			if entry, why := p.held.there(r.Name, r.ID); why == "" {
				rests = append(rests, entry)
			}
		}
		more, err := count(e.kit, ctx, &p.job.Settings, p.held, rests, stageLines(e.log, nil))
		if err != nil {
			return retire.Plan{}, err
		}
		if !more {
			return plan, nil
		}
	}
}

// remove removes runs, and takes them off the list.
func (b *backup) remove(ctx context.Context, gone []retire.Run) error {
	if err := b.removeRuns(ctx, &b.job.Settings, gone); err != nil {
		return err
	}
	b.record.Denied = nil
	b.record.Runs = slices.DeleteFunc(b.record.Runs, func(k state.Run) bool {
		return slices.ContainsFunc(gone, func(r retire.Run) bool { return r.Name == k.Name && r.ID == k.Run })
	})
	return b.state.Save(b.record)
}

// maxRemoved bounds how many runs one call removes.
const maxRemoved = 200

// removeRuns removes exactly these runs, those that build on others first, so that
// an interruption leaves no archive whose parent is gone.
func (e *engine) removeRuns(ctx context.Context, set *config.Settings, gone []retire.Run) error {
	path, err := e.kit.Sibling("s3rm")
	if err != nil {
		return err
	}
	var errs []error
	for some := range slices.Chunk(gone, maxRemoved) {
		args := append(storeFlags(set), "-y")
		for _, r := range some {
			args = append(args, set.Bucket+":"+r.Name+":"+r.ID)
		}
		_, _, err := e.kit.Output(ctx, e.kit.StoreStage("s3rm", path, args), stageLines(e.log, nil))
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
