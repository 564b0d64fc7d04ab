package run

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/state"
	"napback/napback/tools"
)

// expand returns the jobs that a job stands for, and warnings about those that are gone.
func (r *Run) expand(c *config.Config, job *config.Job) (all []config.Job, warnings []string, err error) {
	all, warnings, err = jobs.Members(c, job)
	if err != nil || job.Kind.Members == nil {
		return all, warnings, err
	}
	gone, err := vanished(job, all, r.Host.Kit.Env)
	return all, append(warnings, gone...), err
}

// numbered names a job, with its place among all of the run.
func (r *Run) numbered(job *config.Job) string {
	i := slices.IndexFunc(r.all, func(t jobs.Target) bool { return t.Name == job.Name && t.Job.Config == job.Config })
	return fmt.Sprintf("job %d/%d %s", i+1, max(len(r.all), i+1), job.Short)
}

// vanished tells of members that were backed up and are not there any more.
// (With the first backup that a user asks for nothing is known.)
func vanished(dir *config.Job, now []config.Job, env []string) ([]string, error) {
	store, err := state.Open(dir.Settings.DiffDir)
	if err != nil {
		return nil, err
	}
	of := tools.StateKey(dir, env)
	known, err := store.Jobs(of.Endpoint, of.Bucket)
	if err != nil {
		return nil, err
	}
	members := dir.Kind.Members
	var gone []string
	for _, key := range known {
		name := key.Name
		relative, below := strings.CutPrefix(name, dir.Name+"/")
		if !below || slices.ContainsFunc(now, func(j config.Job) bool { return j.Name == name }) {
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
func (p *report) runJobs(ctx context.Context, job *config.Job) (results []result) {
	day := p.run.clocks.Day(ctx, p.run.machine(p.log), job, p.run.Day)
	if _, due := job.Settings.Schedule.Slot(day.Today); job.Kind.Members == nil || !due && !day.Force {
		return []result{p.runJob(ctx, day, job)}
	}
	all, warnings, err := p.run.expand(p.config, job)
	for i := range all {
		results = append(results, p.runJob(ctx, day, &all[i]))
	}
	one, r := p.newJobRun(day, job), result{job: job.String(), of: job, today: day.Today}
	for _, w := range warnings {
		one.log.Warnf("%s", w)
		r.Outcome = backup.DoneWarned
	}
	if len(warnings) > 0 {
		r.Note = backup.Summarise(warnings)
	}
	switch {
	case err != nil:
		one.end(ctx, &r, err)
	default: // its own account is that it could be looked into
		one.ended(&result{Result: backup.Result{Outcome: backup.Done, Note: r.Note}})
	}
	if r.Outcome != "" {
		results = append(results, r)
	}
	return results
}

// runJob runs one job. Whatever happens to it, the next one can run.
func (p *report) runJob(ctx context.Context, day decide.Day, job *config.Job) (r result) {
	r.job, r.of, r.today = job.String(), job, day.Today
	_, due := job.Settings.Schedule.Slot(day.Today)
	due = due || day.Force
	switch {
	case ctx.Err() != nil:
		r.Outcome = interrupted
		if due {
			p.newJobRun(day, job).notStarted(&result{Result: r.Result, err: fmt.Errorf("not begun: %w", context.Cause(ctx))})
		}
	case !due: // which needs nothing, not even its source
		r.Outcome = backup.NotDue
	default:
		p.newJobRun(day, job).steps(ctx, &r)
	}
	return r
}
