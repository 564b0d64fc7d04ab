package backup

import (
	"context"

	"napback/napback/backup/decide"
	"napback/napback/backup/retire"
	"napback/napback/catalog"
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
