package jobs

import (
	"context"
	"errors"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/standing"
)

// Clock is the time by which jobs are judged.
type Clock struct {
	Now time.Time
	// Today is the day, given a store's clock, which is zero if it is not known.
	Today func(store time.Time) slot.Date
}

// Standing tells how a configured job stands: what the bucket holds of it, and what
// DiffDir tells of its runs. contents, if not nil, are known already, and the bucket is
// not asked. An error says why the bucket tells nothing; the standing is then unknown,
// with what is known here.
func (f Finder) Standing(ctx context.Context, t Target, who catalog.Wanted, clock Clock, contents *catalog.Contents) (standing.Standing, catalog.Archives, error) {
	// Somebody else's backups say nothing of how this host's are.
	who.Strict = true
	a, at, err := f.archives(ctx, t, who, contents)
	if err != nil {
		return f.Unknown(t, clock, cli.FirstLine(err.Error())), a, err
	}
	s := named(standing.Judge(t.Job.Settings.Schedule, clock.Today(at), a, standing.CheckedOn(f.Record(t), a)), t)
	if who.Owner != "" || who.Host != "" { // whose runs DiffDir may not know
		return s, a, nil
	}
	return s.With(f.Account(t), clock.Now), a, nil
}

// Unknown is the standing of a job of which the bucket tells nothing.
func (f Finder) Unknown(t Target, clock Clock, reason string) standing.Standing {
	s := standing.Standing{State: standing.Unknown, Reason: reason, Next: standing.NextDue(t.Settings.Schedule, clock.Today(time.Time{})).String()}
	return named(s, t).With(f.Account(t), clock.Now)
}

func (f Finder) archives(ctx context.Context, t Target, who catalog.Wanted, contents *catalog.Contents) (catalog.Archives, time.Time, error) {
	if contents == nil {
		return f.Archives(ctx, t, who)
	}
	if contents.ListDenied {
		return catalog.Archives{}, contents.Time, errors.New("the credentials do not allow to list the bucket")
	}
	a, err := catalog.OfJob(contents.Runs, t.Name, f.complete(t, who))
	return a, contents.Time, err
}

func named(s standing.Standing, t Target) standing.Standing {
	s.Job, s.Kind, s.Source, s.Config = t.Name, t.Job.Kind.Name, t.Job.String(), t.Job.Config
	return s
}

// Directories are the standings of directories of sources that could not be looked
// into by the last run: which of their sources have no backup then nobody knows.
func (f Finder) Directories(configs []*config.Config, known []Target, clock Clock) []standing.Standing {
	isKnown := map[*config.Job]bool{}
	for _, t := range known {
		isKnown[t.Job] = true
	}
	var all []standing.Standing
	for _, c := range configs {
		for i := range c.Jobs {
			t := Target{Name: c.Jobs[i].Name, Settings: &c.Jobs[i].Settings, Job: &c.Jobs[i]}
			if t.Job.Kind.Members == nil || isKnown[t.Job] {
				continue
			}
			s := standing.Standing{State: standing.Healthy, Next: standing.NextDue(t.Settings.Schedule, clock.Today(time.Time{})).String()}
			if s = named(s, t).With(f.Account(t), clock.Now); s.State != standing.Healthy && s.State != standing.Running {
				all = append(all, s)
			}
		}
	}
	return all
}
