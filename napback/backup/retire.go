package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"napback/napback/backup/decide"
	"napback/napback/backup/retire"
	"napback/napback/catalog"
	"napback/napback/state"
	"napback/napback/tools"
)

// Retirement decides what may go, and counts what takes its place: what is not whole
// replaces nothing.
func Retirement(ctx context.Context, store tools.Store, p *decide.Planner) (retire.Plan, error) {
	for {
		plan := p.Retirement()
		var rests []catalog.Entry
		for _, r := range plan.Rests {
			if entry, flaw := p.Contents.Find(r.Name, r.ID); flaw == "" {
				rests = append(rests, entry)
			}
		}
		more, err := store.Count(ctx, p.Contents, rests)
		if err != nil {
			return retire.Plan{}, err
		}
		if !more {
			return plan, nil
		}
	}
}

// Remove removes exactly these runs, those that build on others first, so that an
// interruption leaves no archive whose parent is gone.
func Remove(ctx context.Context, store tools.Store, gone []retire.Run) error {
	var runs []string
	for _, r := range gone {
		runs = append(runs, r.Name+":"+r.ID)
	}
	return store.Remove(ctx, runs)
}

// deniedFor is for how many days nothing is retired after the credentials did not
// allow it: to find out what may go costs requests for every object that stays.
const deniedFor = 7

// retire removes the runs that are no longer needed (step 8). What cannot be
// removed does no harm, and is tried again after a later backup.
func (b *Backup) retire(ctx context.Context) {
	if d := b.Record.Denied; d != nil && b.Today.Sub(*d) >= 0 && b.Today.Sub(*d) < deniedFor {
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
	if errors.Is(err, tools.ErrDenied) {
		b.Record.Denied = &b.Today
		if err := b.State.Save(b.Record); err != nil {
			b.host.Log.Debugf("%v", err)
		}
	}
}

// retirable returns what may go. The bucket is asked twice: the listing from
// before the backup shows whether there is anything to do at all, another one who
// builds on what now.
func (b *Backup) retirable(ctx context.Context) ([]retire.Run, error) {
	// While another configuration or another machine stores under our name and id,
	// what the slots of both still need is not known.
	if b.Contents.ListDenied || b.Rival != "" || b.Adopted || b.decision.Twin {
		return nil, nil
	}
	p := b.Planner(b.job, "")
	p.Contents = &catalog.Contents{Time: b.Contents.Time, Runs: slices.Clone(b.Contents.Runs), Counted: b.Contents.Counted}
	now := b.Record.Current
	p.Contents.Runs = append(p.Contents.Runs, catalog.Entry{Bucket: b.job.Settings.Bucket, Name: now.Name, Run: now.Run, State: catalog.Committed})
	if len(p.Retirement().Gone) == 0 {
		return nil, nil
	}
	contents, err := b.host.Store(b.job).Contents(ctx, b.job.Name)
	if err != nil || contents.ListDenied {
		return nil, err
	}
	b.left.Runs, b.left.Time = slices.Clone(contents.Runs), contents.Time
	p.Contents = contents // what was counted before the backup counts no more
	plan, err := Retirement(ctx, b.host.Store(b.job), p)
	return plan.Gone, err
}

// remove removes runs, and takes them off the list.
func (b *Backup) remove(ctx context.Context, gone []retire.Run) error {
	if err := Remove(ctx, b.host.Store(b.job), gone); err != nil {
		return err
	}
	b.left.Runs = slices.DeleteFunc(b.left.Runs, func(e catalog.Entry) bool {
		return slices.ContainsFunc(gone, func(r retire.Run) bool { return r.Name == e.Name && r.ID == e.Run })
	})
	b.Record.Denied = nil
	b.Record.Runs = slices.DeleteFunc(b.Record.Runs, func(k state.Run) bool {
		return slices.ContainsFunc(gone, func(r retire.Run) bool { return r.Name == k.Name && r.ID == k.Run })
	})
	return b.State.Save(b.Record)
}
