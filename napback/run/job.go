package run

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/hooks"
	"napback/napback/journal"
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
	run      *Run
	day      decide.Day
	log      *journal.Journal
	job      *config.Job
	channels []notify.Channel
	backup   *backup.Backup // nil until step 4
}

const (
	// hookTime is how long RunAfter and RunOnFailure may take.
	hookTime = time.Hour
	// lastTime is how long each of the last steps may take after a signal: who
	// pressed Ctrl-C, or shuts the machine down, is waiting.
	lastTime = 10 * time.Second
)

// newJobRun returns a job that is to run.
func (p *report) newJobRun(day decide.Day, job *config.Job) *jobRun {
	j := &jobRun{run: p.run, day: day, log: p.log.Of(job), job: job}
	var err error
	if j.channels, err = notify.Open(job.Settings.Notify, p.config.Settings.Notify, p.run.redact.String); err != nil {
		j.log.Warnf("nobody is told about the job: %v", err)
	}
	return j
}

// steps does the steps of a job and tells how it has ended.
func (j *jobRun) steps(ctx context.Context, r *result) {
	started := j.run.Host.Now()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if limit := j.job.Settings.Timeout; limit > 0 {
		limited, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v, its Timeout", limit))
	}
	defer cancel()
	j.run.Progress.Begin(j.run.numbered(j.job))
	err := j.attempt(limited, r)
	j.run.Progress.End()
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = context.Cause(limited)
	}
	r.duration = j.run.Host.Now().Sub(started)
	j.end(ctx, r, err)
}

// attempt does steps 1 to 4.
func (j *jobRun) attempt(ctx context.Context, r *result) error {
	done, err := j.done(ctx)
	if err != nil {
		return err
	}
	if done {
		r.Outcome = backup.DoneBefore
		return nil
	}
	j.log.Record(slog.LevelInfo, "begins")
	for _, c := range j.channels {
		warnOf(j.log, c, c.Start(ctx))
	}
	if err := j.hook(ctx, "RunBefore", j.job.Settings.RunBefore, hooks.Started, ""); err != nil {
		return fmt.Errorf("RunBefore: %w", err)
	}
	o := backup.Options{Keys: j.run.keys, Lower: j.run.Lower, Progress: j.run.Progress}
	if j.backup, err = backup.New(ctx, j.run.machine(j.log), j.day, o, j.job); err != nil {
		return err
	}
	r.Result, err = j.backup.Run(ctx)
	return err
}

// done tells whether the job was done today, without a look at its source. It
// asks only where it matters before the backup itself finds out.
func (j *jobRun) done(ctx context.Context) (bool, error) {
	if j.day.Force || len(j.channels) == 0 && len(j.job.Settings.RunBefore) == 0 {
		return false, nil
	}
	dir, err := state.Open(j.job.Settings.DiffDir)
	if err != nil {
		return false, err
	}
	found, err := j.run.machine(j.log).Survey(ctx, j.job, dir, j.day)
	if err != nil {
		return false, err
	}
	schedule := j.job.Settings.Schedule
	slot, due := schedule.Slot(found.Today)
	return due && found.Planner(j.job, "").Done(slot.Number), nil
}

// end tells how the job has ended, and does steps 5 and 6.
func (j *jobRun) end(ctx context.Context, r *result, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		r.Outcome = interrupted
		r.err = context.Cause(ctx)
		j.log.Record(slog.LevelError, r.err.Error())
	case err != nil:
		r.Outcome, r.Note, r.err = failed, cli.FirstLine(err.Error()), err
		j.log.Error(err)
	}
	if r.Outcome == backup.DoneBefore {
		return
	}
	j.after(ctx, r)
	j.tell(ctx, r)
	j.log.Record(slog.LevelInfo, "ends: "+string(r.Outcome), r.attrs()...)
}

// after runs RunAfter or RunOnFailure.
func (j *jobRun) after(ctx context.Context, r *result) {
	ctx, cancel := lastContext(ctx, hookTime)
	defer cancel()
	set := &j.job.Settings
	switch {
	case r.err != nil:
		if err := j.hook(ctx, "RunOnFailure", set.RunOnFailure, hooks.Failure, r.err.Error()); err != nil {
			j.log.Warnf("RunOnFailure: %v", err)
		}
	default:
		state := hooks.Success
		if r.Outcome == backup.DoneWarned {
			state = hooks.Warning
		}
		if err := j.hook(ctx, "RunAfter", set.RunAfter, state, ""); err != nil {
			// The archive is there, but what was to be done after it is not.
			j.log.Warnf("RunAfter: %v", err)
			r.Outcome, r.Note = backup.DoneWarned, "RunAfter: "+cli.FirstLine(err.Error())
		}
	}
}

// tell tells the job's channels how it has ended.
func (j *jobRun) tell(ctx context.Context, r *result) {
	ctx, cancel := lastContext(ctx, hookTime)
	defer cancel()
	text := fmt.Sprintf("%s: %s", r.job, r.Outcome)
	switch {
	case r.Outcome == interrupted:
		text = fmt.Sprintf("%s: %s", r.job, r.err) // which says it
	case r.err != nil:
		text += ": " + r.err.Error()
	case r.Note != "":
		text += ": " + r.Note
	}
	report := notify.Report{
		Host: j.run.Host.Name, Run: j.run.id, Ending: r.ending(), Count: 1, Jobs: 1,
		Summary: text + "\n", Failures: failures([]result{*r}),
	}
	for _, c := range j.channels {
		warnOf(j.log, c, c.Finish(ctx, report))
	}
}

// warnOf warns of a channel that failed, which changes nothing about the backup.
func warnOf(log *journal.Journal, c notify.Channel, err error) {
	if err != nil {
		log.Warnf("%s did not go out: %s", c.Name(), err)
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
func (j *jobRun) hook(ctx context.Context, directive string, argv []string, state hooks.State, reason string) error {
	f := hooks.Facts{
		Job: j.job.Name, Kind: j.job.Kind.Name, Source: j.job.Source, Run: j.run.id,
		State: state, Error: reason, Host: j.run.Host.Name, Slot: -1,
	}
	if j.backup != nil && j.backup.Decision() != nil {
		d := j.backup.Decision()
		f.Type, f.Slot = string(d.Kind), int(d.Slot.Number)
	}
	h := hooks.Hook{Argv: argv, Facts: f, Env: j.run.Host.Kit.Env, Log: func(line string) {
		j.log.Stage(slog.LevelInfo, directive, cli.Safe(line))
	}}
	return h.Run(ctx)
}
