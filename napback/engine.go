package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/logging"
	"napback/napback/priority"
	"napback/napback/programs"
	"napback/napback/state"
	"napback/napback/tools"
)

// engine runs the jobs of one call of napback.
type engine struct {
	std  cli.Streams
	log  *journal
	kit  programs.Kit
	host string
	decide.Day
	debug bool
	now   func() time.Time
	// runID is the id of this run of napback.
	runID string
	// secrets must not be told to anybody; redact masks them. They are set by
	// hideSecrets.
	secrets []string
	redact  *logging.Redactor
	// lower are the programs that lower the priority of stages.
	lower func() priority.Programs
	// keys are the fingerprints of each set of recipients, checked before
	// anything starts.
	keys map[string][]string
	// clocks are the clocks of stores that were asked for them, zero where one
	// did not answer.
	clocks backup.Clocks
}

// outcome is how a job ended.
type outcome string

const (
	doneNow     outcome = "ok"
	doneWarned  outcome = "warnings"
	doneBefore  outcome = "done today"
	notDue      outcome = "not due"
	nothingNew  outcome = "nothing new"
	failed      outcome = "FAILED"
	interrupted outcome = "interrupted"
)

// result is a job's line in the summary.
type result struct {
	job      string // as the configuration names it
	name     string // of its archive
	outcome  outcome
	kind     slot.Type
	source   int64  // bytes read from the source
	stored   string // what was stored, as s3put tells it
	duration time.Duration
	note     string
	err      error // why it failed
}

// runJob runs one job. Whatever happens to it, the next one can run.
func (e *engine) runJob(ctx context.Context, c *config.Config, job *config.Job) (r result) {
	r = result{job: job.String()}
	if ctx.Err() != nil {
		r.outcome = interrupted
		return r
	}
	// A job that is not due needs nothing, not even its source.
	if _, due := job.Settings.Schedule.Slot(e.Today); !due && !e.Force {
		r.outcome = notDue
		return r
	}
	e.newJobRun(c, job).run(ctx, &r)
	return r
}

// newBackup makes what a job needs to run, before it touches anything.
func (e *engine) newBackup(ctx context.Context, job *config.Job) (*jobBackup, error) {
	from, err := e.openSource(ctx, job)
	if err != nil {
		return nil, err
	}
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil {
		return nil, err
	}
	b := &jobBackup{engine: e, job: job, dir: dir, state: dir.Job(tools.StateKey(job, e.kit.Env)), source: from}
	if b.compressor, err = e.kit.Compressor(job.Settings.Compression); err != nil {
		return nil, err
	}
	return b, nil
}

// lockAll locks the DiffDirs of all configurations.
func lockAll(configs []*config.Config) (release func(), err error) {
	var releases []func()
	release = func() {
		for _, r := range releases {
			r()
		}
	}
	seen := map[string]bool{}
	for _, c := range configs {
		path := c.Settings.DiffDir
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		if seen[path] || len(c.Jobs) == 0 {
			continue
		}
		seen[path] = true
		dir, err := state.Open(path)
		if err != nil {
			release()
			return nil, cli.WithHint(cli.WithCode(cli.Usage, err), "DiffDir is never created: is its disk mounted?")
		}
		r, ok, err := dir.Lock()
		if err == nil && !ok {
			err = cli.WithHint(cli.Errorf(cli.Locked, "DiffDir %q: another napback is running", path), "wait until it has ended")
		}
		if err != nil {
			release()
			return nil, err
		}
		releases = append(releases, r)
	}
	return release, nil
}

// checkRecipients makes sure that everything can be encrypted, before anything
// is started.
func (e *engine) checkRecipients(ctx context.Context, configs []*config.Config) error {
	e.keys = map[string][]string{}
	for _, c := range configs {
		for i := range c.Jobs {
			set := &c.Jobs[i].Settings
			if _, known := e.keys[tools.Recipients(set)]; known || len(set.GpgRecipients) == 0 {
				continue
			}
			keys, err := tools.CheckRecipients(ctx, e.kit, set, func(line string) { io.WriteString(e.std.Err, oneLine(line)+"\n") })
			if errors.Is(err, tools.ErrRecipients) {
				return cli.Errorf(cli.ExitStatus(err), "recipients of %s cannot be encrypted to; nothing was started", c.Jobs[i])
			}
			if err != nil {
				return err
			}
			e.keys[tools.Recipients(set)] = keys
		}
	}
	return nil
}

// machine is this machine, as backups see it.
func (e *engine) machine() backup.Host {
	return backup.Host{Kit: e.kit, Name: e.host, Now: e.now, Log: e.log}
}
