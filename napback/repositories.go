package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/config"
	"napback/napback/dump"
	"napback/napback/state"
	"napback/napback/tools"
)

// expand returns the jobs that a job stands for: itself, or those of the
// repositories below a SubversionDir. warnings are about the directory.
func (e *engine) expand(c *config.Config, job *config.Job) (jobs []config.Job, warnings []string, err error) {
	if job.Kind != config.SubversionDir {
		return []config.Job{*job}, nil, nil
	}
	if _, err := os.Stat(job.Source); errors.Is(err, os.ErrNotExist) {
		return nil, nil, cli.WithHint(errors.New("the source has vanished: no such directory"), "was its disk not mounted?")
	}
	if dump.IsRepository(job.Source) {
		return nil, nil, cli.WithHint(errors.New("the source is a repository itself"), "say Subversion %s", job.Source)
	}
	found, unread := dump.Repositories(job.Source)
	for _, err := range unread {
		warnings = append(warnings, fmt.Sprintf("repositories may be missing: %v", err))
	}
	for _, relative := range found {
		if one, ok := c.Repository(*job, relative); ok {
			jobs = append(jobs, one)
		}
	}
	if len(found) == 0 {
		return nil, warnings, cli.WithHint(errors.New("there is no repository below it"), "was its disk not mounted?")
	}
	gone, err := e.vanished(job, jobs)
	return jobs, append(warnings, gone...), err
}

// vanished tells of repositories that were backed up and are not there any more.
// (With the first backup that a user asks for nothing is known.)
func (e *engine) vanished(dir *config.Job, jobs []config.Job) ([]string, error) {
	store, err := state.Open(dir.Settings.DiffDir)
	if err != nil {
		return nil, err
	}
	of := tools.StateKey(dir, e.kit.Env)
	known, err := store.Jobs(of.Endpoint, of.Bucket)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, key := range known {
		name := key.Name
		relative, below := strings.CutPrefix(name, dir.Name+"/")
		if !below || slices.ContainsFunc(jobs, func(j config.Job) bool { return j.Name == name }) {
			continue
		}
		if dump.IsRepository(dir.Source + "/" + relative) {
			continue // it has a job of its own now
		}
		gone = append(gone, fmt.Sprintf("repository %q has VANISHED; its backups stay until s3rm removes them (to end this warning: rm %s)", relative, store.Job(key).Record()))
	}
	return gone, nil
}

// runJobs runs a job, or each of those that it stands for.
func (e *engine) runJobs(ctx context.Context, c *config.Config, job *config.Job) (results []result) {
	own := *e
	own.Day = e.clocks.Day(ctx, e.machine(), job, e.Day)
	e = &own
	if _, due := job.Settings.Schedule.Slot(e.Today); job.Kind != config.SubversionDir || !due && !e.Force {
		return []result{e.runJob(ctx, c, job)}
	}
	jobs, warnings, err := e.expand(c, job)
	for i := range jobs {
		results = append(results, e.runJob(ctx, c, &jobs[i]))
	}
	one, r := e.newJobRun(c, job), result{job: job.String()}
	for _, w := range warnings {
		one.log.Warnf("%s", w)
		r.outcome = doneWarned
	}
	if len(warnings) > 0 {
		r.note = summarise(warnings)
	}
	if err != nil {
		one.end(ctx, &r, err)
	}
	if r.outcome != "" {
		results = append(results, r)
	}
	return results
}
