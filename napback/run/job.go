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
	"napback/napback/tools"
)

// jobRun is one job and what happens around its backup. Its steps:
//
//  1. A job that is not due, or was done today, ends here: nothing around it
//     happens.
//  2. Its own channels, such as its PingURL, are told that it begins.
//  3. Its account notes that it begins.
//  4. RunBefore. It may make the very source, so that comes first; if it fails,
//     so does the job.
//  5. The backup (type backup). Timeout ends this step and the one before.
//  6. RunAfter, or RunOnFailure if anything has failed. After a signal there is
//     little time left for it.
//  7. Its account notes how it has ended, and its channels are told.
type jobRun struct {
	run      *Run
	causes   causes
	day      decide.Day
	log      *journal.Journal
	job      *config.Job
	channels []notify.Channel
	backup   *backup.Backup // nil until step 5
	started  time.Time
	began    bool // and its account says so
	left     left // of the report
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
	j := &jobRun{run: p.run, causes: p.causes, day: day, log: p.log.Of(job), job: job, started: p.run.Host.Now(), left: p.left}
	var err error
	if j.channels, err = notify.Open(job.Settings.Notify, p.config.Settings.Notify, p.run.redact.String); err != nil {
		j.log.Warnf("nobody is told about the job: %v", err)
	}
	return j
}

// steps does the steps of a job and tells how it has ended.
func (j *jobRun) steps(ctx context.Context, r *result) {
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
	r.duration = j.run.Host.Now().Sub(j.started)
	j.end(ctx, r, err)
}

// attempt does steps 1 to 5.
func (j *jobRun) attempt(ctx context.Context, r *result) error {
	found, done, err := j.done(ctx)
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
	if len(j.job.Settings.RunBefore) > 0 {
		j.begins() // it may hang, or make the machine do so
	}
	if err := j.hook(ctx, "RunBefore", j.job.Settings.RunBefore, hooks.Started, ""); err != nil {
		return fmt.Errorf("RunBefore: %w", err)
	}
	if len(j.job.Settings.RunBefore) > 0 {
		found = nil // it may have mounted the store
	}
	o := backup.Options{Keys: j.run.keys, Lower: j.run.Lower, Begins: j.begins, Found: found, Progress: j.run.Progress}
	if j.backup, err = backup.New(ctx, j.run.machine(j.log), j.day, o, j.job); err != nil {
		return err
	}
	r.Result, err = j.backup.Run(ctx)
	if known := j.backup.Left(); known != nil {
		j.left[j.job.Name] = known
	}
	return err
}

// done tells whether the job was done today, without a look at its source, and what it
// has found out for that. It asks only where it matters before the backup itself finds
// out.
func (j *jobRun) done(ctx context.Context) (found *backup.Survey, done bool, err error) {
	if j.day.Force || len(j.channels) == 0 && len(j.job.Settings.RunBefore) == 0 {
		return nil, false, nil
	}
	dir, err := state.Open(j.job.Settings.DiffDir)
	if err != nil {
		return nil, false, err
	}
	found, err = j.run.machine(j.log).Survey(ctx, j.job, dir, j.day)
	if err != nil {
		return nil, false, err
	}
	j.left[j.job.Name] = found.Contents
	schedule := j.job.Settings.Schedule
	slot, due := schedule.Slot(found.Today)
	return found, due && found.Planner(j.job, "").Done(slot.Number), nil
}

// end tells how the job has ended, and does steps 6 and 7.
func (j *jobRun) end(ctx context.Context, r *result, err error) {
	if j.backup != nil {
		r.decision = j.backup.Decision()
	}
	switch {
	case err != nil && ctx.Err() != nil:
		r.Outcome = interrupted
		r.err = context.Cause(ctx)
		j.log.Record(slog.LevelError, r.err.Error())
	case err != nil:
		r.Outcome, r.err = failed, tools.Explain(context.WithoutCancel(ctx), err)
		r.trouble = tools.Open(j.run.Host.Kit, &j.job.Settings, nil).Trouble(err)
		j.causes.meets(j.log, r.job, r.trouble, r.err)
	}
	switch r.Outcome {
	case backup.NotDue:
		return
	case backup.DoneBefore:
		j.mended(r)
		return
	}
	j.after(ctx, r)
	j.ended(r)
	j.tell(ctx, r)
	j.log.Record(slog.LevelInfo, r.ends(), r.attrs()...)
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
			note := "RunAfter: " + cli.FirstLine(err.Error())
			if r.Note != "" { // of the backup
				note = r.Note + "; " + note
			}
			r.Outcome, r.Note = backup.DoneWarned, note
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
		State: state, Error: j.run.redact.String(reason), Host: j.run.Host.Name, Slot: -1,
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
