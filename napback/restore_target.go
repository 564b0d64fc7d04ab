package main

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/dump"
)

// target is a job whose archives are asked for.
type target struct {
	name     string // of its archives
	settings *config.Settings
	job      *config.Job // nil if no configuration has it
}

// targets are the jobs of the configurations, with those of the repositories that
// are below a SubversionDir now in its place.
func targets(configs []*config.Config) []target {
	var all []target
	add := func(j *config.Job) { all = append(all, target{name: j.Name, settings: &j.Settings, job: j}) }
	for _, c := range configs {
		for i := range c.Jobs {
			j := &c.Jobs[i]
			var found []string
			if j.Kind == config.SubversionDir {
				found, _ = dump.Repositories(j.Source)
			}
			if len(found) == 0 {
				add(j)
			}
			for _, relative := range found {
				if one, ok := c.Repository(*j, relative); ok {
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

// entries lists the runs of the archives whose names begin with prefix.
func (e *engine) entries(ctx context.Context, set *config.Settings, prefix string) ([]catalog.Entry, error) {
	program, err := e.tools.sibling("s3ls")
	if err != nil {
		return nil, err
	}
	args := append(storeFlags(set), "--json", "-r", set.Bucket+":"+prefix)
	out, _, err := e.tools.output(ctx, e.tools.storeStage("s3ls", program, args), e.hear)
	if err != nil {
		return nil, forget(ctx, fmt.Errorf("look into bucket %q: %w", set.Bucket, toolError(err)))
	}
	return catalog.Read(bytes.NewReader(out))
}

// archives lists a job's archives. host is whose are asked for; "" is this
// host's, if there are any.
func (e *engine) archives(ctx context.Context, t target, host string) (catalog.Archives, error) {
	entries, err := e.entries(ctx, t.settings, t.name+"-")
	if err != nil {
		return catalog.Archives{}, err
	}
	prefer := host
	if prefer == "" {
		prefer = e.host
	}
	a := catalog.OfJob(entries, t.name, prefer)
	if host != "" && a.Host != host {
		return a, cli.Errorf(cli.NotFound, "job %q: host %q has stored no archive of it", t.name, host)
	}
	return a, nil
}

// point finds the archive of a job at a moment, and says what is doubtful.
func (e *engine) point(ctx context.Context, t target, host string, at catalog.Moment) (catalog.Point, error) {
	a, err := e.archives(ctx, t, host)
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
