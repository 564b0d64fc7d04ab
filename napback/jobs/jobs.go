// Package jobs tells which job a word on the command line means, and which archives
// are that job's:
//
//  1. A word is the archive name of a configured job, its source, its name without
//     the Prefix, the end of its name, or a path inside its source; or it matches some
//     of these (Find, Wanted). What no configuration has any more is found by its
//     name in their buckets.
//  2. Of the archives of that name those of one owner are meant: who is asked
//     for, or this machine's DiffDir (catalog.Wanted).
//  3. The archive of a moment, with the chain that it ends, is the newest that is
//     not after it (Point).
//  4. What its manifest says is believed as far as the configuration says the
//     same (Trust, Placed): whoever can write to the bucket can write manifests.
package jobs

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"time"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/programs"
	"napback/napback/state"
	"napback/napback/tools"
)

// Target is a job whose archives are asked for.
type Target struct {
	Name     string // of its archives
	Settings *config.Settings
	Job      *config.Job // nil if no configuration has it
	Path     string      // inside the source, if it was found by such a path
	Loose    bool        // it was found by a part of its name, or by a pattern
}

// All are the jobs of the configurations, with those of the sources that
// are below a directory of sources now in its place.
func All(configs []*config.Config) []Target {
	var all []Target
	add := func(j *config.Job) { all = append(all, Target{Name: j.Name, Settings: &j.Settings, Job: j}) }
	for _, c := range configs {
		for i := range c.Jobs {
			some, _, err := Members(c, &c.Jobs[i])
			if err != nil && len(some) == 0 {
				add(&c.Jobs[i])
			}
			for i := range some {
				add(&some[i])
			}
		}
	}
	return all
}

// Members returns the jobs that a job stands for: itself, or those of the sources below
// a directory of sources. warnings are about the directory.
func Members(c *config.Config, job *config.Job) (all []config.Job, warnings []string, err error) {
	if job.Kind.Members == nil {
		return []config.Job{*job}, nil, nil
	}
	found, warnings, err := job.Kind.Members.Find(job.Source)
	for _, relative := range found {
		if one, ok := c.Member(*job, relative); ok {
			all = append(all, one)
		}
	}
	return all, warnings, err
}

// Finder looks for jobs and their archives.
type Finder struct {
	Kit programs.Kit
	Log tools.Log
}

// Listing lists the runs of a job, and of those whose names begin as its own do, and
// tells the store's clock.
func (f Finder) Listing(ctx context.Context, t Target) (catalog.Listing, error) {
	l, err := tools.Open(f.Kit, t.Settings, tools.Warnings(f.Log)).List(ctx, t.Name+"-")
	if ctx.Err() != nil {
		return catalog.Listing{}, err
	}
	if err != nil {
		return catalog.Listing{}, tools.About(t.Settings.Bucket, err)
	}
	return l, nil
}

// complete adds to what is asked for what DiffDir knows, if it is there: a restore may
// run on another machine.
func (f Finder) complete(t Target, who catalog.Wanted) catalog.Wanted {
	if dir, err := state.Open(t.Settings.DiffDir); err == nil {
		who.Own, _ = dir.Owner()
	}
	if t.Job != nil {
		record := f.Record(t)
		who.Source, who.Own, who.Knows = t.Job.String(), cmp.Or(record.Owner, who.Own), record.Has
	}
	return who
}

// Record is the state of a configured job here, empty if there is none.
func (f Finder) Record(t Target) state.Record {
	dir, err := state.Open(t.Settings.DiffDir)
	if err != nil {
		return state.Record{}
	}
	record, err := dir.Job(tools.StateKey(t.Job, f.Kit.Env)).Load()
	if err != nil {
		return state.Record{}
	}
	return record
}

// Account is what DiffDir tells of a configured job's runs; empty if there is none, as
// on another machine than that which backs up. An attempt in it that has not ended and
// has not failed is running.
func (f Finder) Account(t Target) state.Account {
	if t.Job == nil {
		return state.Account{}
	}
	dir, err := state.Open(t.Settings.DiffDir)
	if errors.Is(err, fs.ErrNotExist) {
		f.Log.Debugf("job %q: how its last run went is not known: %v", t.Name, err)
		return state.Account{}
	}
	if err != nil {
		return state.Account{Unusable: err}
	}
	job := dir.Job(tools.StateKey(t.Job, f.Kit.Env))
	for gone := ""; ; {
		a, err := job.Account()
		if err != nil {
			return state.Account{Unusable: err}
		}
		if a.Attempt == nil || a.Attempt.Ended != nil || a.Attempt.Failed {
			return a
		}
		if gone == a.Attempt.Run { // it had no end after its run had gone
			a.Bury()
			return a
		}
		held, err := dir.Held()
		if err != nil {
			return state.Account{Unusable: err}
		}
		if held {
			return a
		}
		gone = a.Attempt.Run // and may have noted its end before
	}
}

// Archives lists a job's archives, of whom who asks for or else of this machine's
// DiffDir, and tells the store's clock.
func (f Finder) Archives(ctx context.Context, t Target, who catalog.Wanted) (catalog.Archives, time.Time, error) {
	l, err := f.Listing(ctx, t)
	if err != nil {
		return catalog.Archives{}, l.Time, err
	}
	a, err := catalog.OfJob(l.Entries, t.Name, f.complete(t, who))
	return a, l.Time, err
}

// Warn says what is doubtful about a choice among archives of a job.
func (f Finder) Warn(t Target, a catalog.Archives, chosen catalog.RecoveryPoint) {
	if w := a.Warning(chosen); w != "" {
		f.Log.Warnf("job %q: %s", t.Name, cli.Safe(w))
	}
}

// Point finds the archive of a job at a moment, and says what is doubtful.
func (f Finder) Point(ctx context.Context, t Target, who catalog.Wanted, at catalog.Moment) (catalog.RecoveryPoint, error) {
	a, _, err := f.Archives(ctx, t, who)
	if err != nil {
		return catalog.RecoveryPoint{}, err
	}
	p, err := a.At(at)
	if err == nil {
		f.Warn(t, a, p)
	}
	return p, err
}
