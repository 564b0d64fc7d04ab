package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

// expand returns the jobs that a job stands for: itself, or those of the sources
// below a directory of sources. warnings are about the directory.
func (e *engine) expand(c *config.Config, job *config.Job) (jobs []config.Job, warnings []string, err error) {
	members := job.Kind.Members
	if members == nil {
		return []config.Job{*job}, nil, nil
	}
	found, warnings, err := members.Find(job.Source)
	if err != nil {
		return nil, warnings, err
	}
	for _, relative := range found {
		if one, ok := c.Member(*job, relative); ok {
			jobs = append(jobs, one)
		}
	}
	gone, err := e.vanished(job, jobs)
	return jobs, append(warnings, gone...), err
}

// vanished tells of members that were backed up and are not there any more.
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
	members := dir.Kind.Members
	var gone []string
	for _, key := range known {
		name := key.Name
		relative, below := strings.CutPrefix(name, dir.Name+"/")
		if !below || slices.ContainsFunc(jobs, func(j config.Job) bool { return j.Name == name }) {
			continue
		}
		if members.Is(dir.Source + "/" + relative) {
			continue // it has a job of its own now
		}
		gone = append(gone, fmt.Sprintf("%s %q has VANISHED; its backups stay until s3rm removes them (to end this warning: rm %s)", members.What, relative, store.Job(key).Record()))
	}
	return gone, nil
}

// runJobs runs a job, or each of those that it stands for.
func (e *engine) runJobs(ctx context.Context, c *config.Config, job *config.Job) (results []result) {
	own := *e
	own.Day = e.clocks.Day(ctx, e.machine(), job, e.Day)
	e = &own
	if _, due := job.Settings.Schedule.Slot(e.Today); job.Kind.Members == nil || !due && !e.Force {
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
