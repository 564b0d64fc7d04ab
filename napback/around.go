package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/hooks"
	"napback/napback/notify"
	"napback/napback/state"
)

// jobRun is one job and what happens around its backup. Its steps:
//
//  1. A job that is not due, or was done today, ends here: nothing around it
//     happens.
//  2. Its own channels, such as its PingURL, are told that it begins.
//  3. RunBefore. It may make the very source, so that comes first; if it fails,
//     so does the job.
//  4. The backup (type backup). Timeout ends this step and the one before.
//  5. RunAfter, or RunOnFailure if anything has failed. After a signal there is
//     little time left for it.
//  6. Its channels are told how it has ended.
type jobRun struct {
	*engine
	job      *config.Job
	channels []notify.Channel
	backup   *jobBackup // nil until step 4
}

const (
	// hookTime is how long RunAfter and RunOnFailure may take.
	hookTime = time.Hour
	// lastTime is how long each of the last steps may take after a signal: who
	// pressed Ctrl-C, or shuts the machine down, is waiting.
	lastTime = 10 * time.Second
)

// newJobRun returns a job that is to run.
func (e *engine) newJobRun(c *config.Config, job *config.Job) *jobRun {
	own := *e
	own.log = e.log.of(job)
	j := &jobRun{engine: &own, job: job}
	var err error
	if j.channels, err = notify.Open(job.Settings.Notify, c.Settings.Notify, e.redact.String); err != nil {
		j.log.Warnf("nobody is told about the job: %v", err)
	}
	return j
}

// run does the steps of a job and tells how it has ended.
func (j *jobRun) run(ctx context.Context, r *result) {
	started := j.now()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if limit := j.job.Settings.Timeout; limit > 0 {
		limited, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v, its Timeout", limit))
	}
	defer cancel()
	err := j.attempt(limited, r)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = context.Cause(limited)
	}
	r.duration = j.now().Sub(started)
	j.end(ctx, r, err)
}

// attempt does steps 1 to 4.
func (j *jobRun) attempt(ctx context.Context, r *result) error {
	done, err := j.done(ctx)
	if err != nil {
		return err
	}
	if done {
		r.outcome = doneBefore
		return nil
	}
	j.log.record(slog.LevelInfo, "begins")
	for _, c := range j.channels {
		j.warnOf(c, c.Start(ctx))
	}
	if err := j.hook(ctx, j.job.Settings.RunBefore, hooks.Started, ""); err != nil {
		return fmt.Errorf("RunBefore: %w", err)
	}
	if j.backup, err = j.newBackup(ctx, j.job); err != nil {
		return err
	}
	return j.backup.run(ctx, r)
}

// done tells whether the job was done today, without a look at its source. It
// asks only where it matters before the backup itself finds out.
func (j *jobRun) done(ctx context.Context) (bool, error) {
	if j.Force || len(j.channels) == 0 && len(j.job.Settings.RunBefore) == 0 {
		return false, nil
	}
	dir, err := state.Open(j.job.Settings.DiffDir)
	if err != nil {
		return false, err
	}
	found, err := j.machine().Survey(ctx, j.job, dir, j.Day)
	if err != nil {
		return false, err
	}
	schedule := j.job.Settings.Schedule
	place, due := schedule.Slot(found.Today)
	return due && found.Planner(j.job, "").Done(place.Number), nil
}

// end tells how the job has ended, and does steps 5 and 6.
func (j *jobRun) end(ctx context.Context, r *result, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		r.outcome = interrupted
		r.err = context.Cause(ctx)
		j.log.record(slog.LevelError, "interrupted: "+err.Error())
	case err != nil:
		r.outcome, r.note, r.err = failed, cli.FirstLine(err.Error()), err
		j.log.Error(err)
	}
	if r.outcome == doneBefore {
		return
	}
	j.after(ctx, r)
	j.tell(ctx, r)
	j.log.record(slog.LevelInfo, "ends: "+string(r.outcome), r.attrs()...)
}

// after runs RunAfter or RunOnFailure.
func (j *jobRun) after(ctx context.Context, r *result) {
	ctx, cancel := lastContext(ctx, hookTime)
	defer cancel()
	set := &j.job.Settings
	switch {
	case r.err != nil:
		if err := j.hook(ctx, set.RunOnFailure, hooks.Failure, r.err.Error()); err != nil {
			j.log.Warnf("RunOnFailure: %v", err)
		}
	default:
		state := hooks.Success
		if r.outcome == doneWarned {
			state = hooks.Warning
		}
		if err := j.hook(ctx, set.RunAfter, state, ""); err != nil {
			// The archive is there, but what was to be done after it is not.
			j.log.Warnf("RunAfter: %v", err)
			r.outcome, r.note = doneWarned, "RunAfter: "+cli.FirstLine(err.Error())
		}
	}
}

// tell tells the job's channels how it has ended.
func (j *jobRun) tell(ctx context.Context, r *result) {
	ctx, cancel := lastContext(ctx, hookTime)
	defer cancel()
	text := fmt.Sprintf("%s: %s", r.job, r.outcome)
	switch {
	case r.err != nil:
		text += ": " + r.err.Error()
	case r.note != "":
		text += ": " + r.note
	}
	report := notify.Report{
		Host: j.host, Run: j.runID, Ending: r.ending(), Count: 1, Jobs: 1,
		Summary: text + "\n", Failures: failures([]result{*r}),
	}
	for _, c := range j.channels {
		j.warnOf(c, c.Finish(ctx, report))
	}
}

// warnOf warns of a channel that failed, which changes nothing about the backup.
func (e *engine) warnOf(c notify.Channel, err error) {
	if err != nil {
		e.log.Warnf("%s did not go out: %s", c.Name(), err)
	}
}

// lastContext returns a context for what is to be done even after ctx has ended,
// but then in a hurry.
func lastContext(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		ctx, limit = context.WithoutCancel(ctx), min(limit, lastTime)
	}
	return context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v", limit))
}

// hook runs a program of the configuration.
func (j *jobRun) hook(ctx context.Context, argv []string, state hooks.State, reason string) error {
	f := hooks.Facts{
		Job: j.job.Name, Kind: j.job.Kind.Name, Source: j.job.Source, Run: j.runID,
		State: state, Error: reason, Host: j.host, Slot: -1,
	}
	if j.backup != nil && j.backup.decision != nil {
		d := j.backup.decision
		f.Type, f.Slot = string(d.Kind), int(d.Slot.Number)
	}
	h := hooks.Hook{Argv: argv, Facts: f, Env: j.kit.Env, Log: func(line string) {
		j.log.Stage(slog.LevelInfo, hookName(state), oneLine(line))
	}}
	return h.Run(ctx)
}

// hookLines are the hooks as -t shows them, which does not run them.
func (b *jobBackup) hookLines() string {
	set := &b.job.Settings
	text := ""
	for _, hook := range []struct {
		when string
		argv []string
	}{{"before it", set.RunBefore}, {"after it", set.RunAfter}, {"if it fails", set.RunOnFailure}} {
		if len(hook.argv) > 0 {
			text += comment(hook.when + ": " + chain.Quote(hook.argv...))
		}
	}
	return text
}

// lowered returns the stages at the priority that the job asks for.
func (b *jobBackup) lowered(stages []chain.Stage) []chain.Stage {
	nice := b.job.Settings.Nice
	if nice == 0 {
		return stages
	}
	var all []chain.Stage
	for _, s := range stages {
		all = append(all, b.lower().Stage(s, nice))
	}
	return all
}

// hookName is the directive of a hook.
func hookName(state hooks.State) string {
	switch state {
	case hooks.Started:
		return "RunBefore"
	case hooks.Failure:
		return "RunOnFailure"
	}
	return "RunAfter"
}

// attrs are what a log tells of a result.
func (r *result) attrs() []any {
	attrs := []any{"seconds", r.duration.Seconds()}
	if r.name != "" {
		attrs = append(attrs, "archive", r.name, "read", r.source, "stored", r.stored)
	}
	if r.note != "" {
		attrs = append(attrs, "note", r.note)
	}
	return attrs
}
