package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

// target is a job whose archives are asked for.
type target struct {
	name     string // of its archives
	settings *config.Settings
	job      *config.Job // nil if no configuration has it
}

// targets are the jobs of the configurations, with those of the sources that
// are below a directory of sources now in its place.
func targets(configs []*config.Config) []target {
	var all []target
	add := func(j *config.Job) { all = append(all, target{name: j.Name, settings: &j.Settings, job: j}) }
	for _, c := range configs {
		for i := range c.Jobs {
			j := &c.Jobs[i]
			var found []string
			if m := j.Kind.Members; m != nil {
				found, _, _ = m.Find(j.Source)
			}
			if len(found) == 0 {
				add(j)
			}
			for _, relative := range found {
				if one, ok := c.Member(*j, relative); ok {
					add(&one)
				}
			}
		}
	}
	return all
}

// findTarget returns the job that a word means: its archive name, or its source.
// A job that no configuration has any more is found by its name if the bucket of
// one has its archives.
func (e *engine) findTarget(ctx context.Context, configs []*config.Config, word string) (target, error) {
	all := targets(configs)
	means := func(t target) bool { return t.name == word }
	if !slices.ContainsFunc(all, means) {
		source := word
		if strings.HasPrefix(word, "/") {
			source = path.Clean(word)
		}
		means = func(t target) bool { return t.job.Source == source || t.job.String() == source }
	}
	var found []target
	var names []string
	for _, t := range all {
		if means(t) {
			found = append(found, t)
			names = append(names, t.name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return e.findForeign(ctx, configs, word)
	}
	return target{}, cli.WithHint(cli.Errorf(cli.NotFound, "job %q: %d jobs have this source", word, len(found)),
		"name one of them: %s", strings.Join(names, ", "))
}

// findForeign looks for a job's archives in the configured buckets.
func (e *engine) findForeign(ctx context.Context, configs []*config.Config, word string) (target, error) {
	var names []string
	for _, c := range configs {
		for _, j := range c.Jobs {
			names = append(names, j.Name)
		}
		if c.Settings.Bucket == "" {
			continue
		}
		entries, err := e.entries(ctx, &c.Settings, word+"-")
		if err != nil {
			return target{}, err
		}
		if slices.Contains(catalog.Jobs(entries), word) {
			e.log.Notef("no job %q is configured, but bucket %q has its archives", word, c.Settings.Bucket)
			return target{name: word, settings: &c.Settings}, nil
		}
	}
	return target{}, cli.WithHint(cli.Errorf(cli.NotFound, "job %q: no such job", word), "the jobs are: %s", strings.Join(names, ", "))
}

// listing lists the runs of the archives whose names begin with prefix, and tells
// the store's clock.
func (e *engine) listing(ctx context.Context, set *config.Settings, prefix string) (catalog.Listing, error) {
	l, err := tools.Open(e.kit, set, e.hear).List(ctx, prefix)
	if err != nil {
		return catalog.Listing{}, fmt.Errorf("look into bucket %q: %w", set.Bucket, tools.Explain(ctx, err))
	}
	return l, nil
}

func (e *engine) entries(ctx context.Context, set *config.Settings, prefix string) ([]catalog.Entry, error) {
	l, err := e.listing(ctx, set, prefix)
	return l.Entries, err
}

// choice is whose archives of a job the command line asks for; "" leaves it to
// this machine's DiffDir.
type choice struct{ owner, host string }

func choiceOf(c *urfave.Context) choice { return choice{c.String("owner"), c.String("host")} }

// wanted completes a choice with what DiffDir knows, if it is there: a restore may
// run on another machine.
func (e *engine) wanted(t target, who choice) catalog.Wanted {
	w := catalog.Wanted{Owner: who.owner, Host: who.host}
	dir, err := state.Open(t.settings.DiffDir)
	if err == nil {
		w.Own, _ = dir.Owner()
	}
	if t.job == nil {
		return w
	}
	w.Source = t.job.String()
	if err != nil {
		return w
	}
	if record, err := dir.Job(tools.StateKey(t.job, e.kit.Env)).Load(); err == nil {
		if record.Owner != "" {
			w.Own = record.Owner
		}
		w.Knows = record.Has
	}
	return w
}

// archives lists a job's archives, and tells the store's clock.
func (e *engine) archives(ctx context.Context, t target, who choice) (catalog.Archives, time.Time, error) {
	return e.archivesOf(ctx, t, e.wanted(t, who))
}

func (e *engine) archivesOf(ctx context.Context, t target, w catalog.Wanted) (catalog.Archives, time.Time, error) {
	l, err := e.listing(ctx, t.settings, t.name+"-")
	if err != nil {
		return catalog.Archives{}, l.Time, err
	}
	a, err := catalog.OfJob(l.Entries, t.name, w)
	return a, l.Time, err
}

// point finds the archive of a job at a moment, and says what is doubtful.
func (e *engine) point(ctx context.Context, t target, who choice, at catalog.Moment) (catalog.Point, error) {
	a, _, err := e.archives(ctx, t, who)
	if err != nil {
		return catalog.Point{}, err
	}
	p, err := a.At(at)
	if err != nil {
		return p, err
	}
	if w := a.Warning(p); w != "" {
		e.log.Warnf("job %q: %s", t.name, oneLine(w))
	}
	return p, nil
}
