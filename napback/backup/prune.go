package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/backup/decide"
	"napback/napback/backup/retire"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

// Pruning is what may go of one job's archives of one owner.
type Pruning struct {
	Job   *config.Job
	Group catalog.Group
	Gone  []catalog.Entry
	plan  []retire.Run
}

// Bytes is how much would be removed.
func (p *Pruning) Bytes() (n int64) {
	for _, r := range p.Gone {
		n += r.Bytes
	}
	return n
}

// Remove removes what may go.
func (p *Pruning) Remove(ctx context.Context, h Host) error {
	return Remove(ctx, h.Store(p.Job), p.plan)
}

// Prunings decides, for each owner of archives of the job's name and source, what may
// go. l lists the job's archives, and who says whose are asked for.
// What replaces must have been stored age ago.
func (h Host) Prunings(ctx context.Context, job *config.Job, l catalog.Listing, who catalog.Wanted, age time.Duration) ([]Pruning, error) {
	now := l.Time
	if now.IsZero() {
		now = h.Now()
	}
	if err := checkFuture(l.Entries, now, tools.Endpoint(&job.Settings, h.Kit.Env)); err != nil {
		return nil, err
	}
	c := catalog.ContentsOf(l, job.Name)
	var all []Pruning
	for _, g := range catalog.Groups(c.Runs, job.Name) {
		if !who.Means(g) || g.Source != job.String() {
			continue
		}
		p := &decide.Planner{Job: job.Name, Schedule: job.Settings.Schedule, Now: now, Contents: c, Record: recordOf(g, now.Add(-age))}
		plan, err := Retirement(ctx, h.Store(job), p)
		if err != nil {
			return nil, err
		}
		one := Pruning{Job: job, Group: g, plan: plan.Gone}
		for _, r := range plan.Gone {
			entry, _ := c.Find(r.Name, r.ID)
			one.Gone = append(one.Gone, entry)
		}
		all = append(all, one)
	}
	return all, nil
}

// recordOf is the state of an owner as the bucket alone tells it: of the archives
// whose manifests were stored until a time, in the order of that.
func recordOf(g catalog.Group, until time.Time) state.Record {
	var r state.Record
	entries := slices.Clone(g.Archives())
	slices.SortStableFunc(entries, func(a, b catalog.Entry) int { return a.Modified.Compare(b.Modified) })
	for _, entry := range entries {
		if k, ok := decide.StoredRun(entry); ok && !entry.Modified.IsZero() && !entry.Modified.After(until) {
			r.Runs = append(r.Runs, k)
		}
	}
	return r
}

// slackOfClocks is how far ahead an object in a directory may be: two machines may
// write to it.
const slackOfClocks = time.Minute

// checkFuture refuses a directory store while anything in it lies in the future: it
// has no clock but this machine's, which then is, or was, wrong.
func checkFuture(runs []catalog.Entry, now time.Time, endpoint string) error {
	if !strings.HasPrefix(endpoint, "file:") {
		return nil
	}
	for _, r := range runs {
		if limit := now.Add(slackOfClocks); r.Began().After(limit) || r.Modified.After(limit) || r.Committed.After(limit) {
			return cli.WithHint(fmt.Errorf("%s of run %s lies in the future, and a directory has no clock of its own to tell what is older", r.Name, r.Run),
				"if the clock is right now, remove that run with s3rm, or wait until its time has come")
		}
	}
	return nil
}
