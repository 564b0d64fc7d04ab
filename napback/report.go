package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/logging"
	"napback/napback/notify"
)

// runAll runs all jobs of the configurations, one after the other, and prints
// the summary. The error has the exit code of the run; what was printed when it
// happened is not printed again.
func (e *engine) runAll(ctx context.Context, configs []*config.Config) error {
	e.hideSecrets(configs)
	release := func() {}
	err := e.checkRecipients(ctx, configs)
	if err == nil {
		release, err = lockAll(configs)
	}
	if err != nil {
		for _, c := range configs {
			e.reportNothing(ctx, c, err)
		}
		return err
	}
	defer release()
	var results []result
	for _, c := range configs {
		results = append(results, e.runConfig(ctx, c)...)
	}
	if err := printSummary(e.std.Out, results); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	switch worst, _ := ending(results); worst {
	case notify.Failed:
		return cli.Exit(cli.Failed)
	case notify.Warnings:
		return cli.Exit(cli.Warnings)
	}
	return nil
}

// hideSecrets finds out what is secret, and masks it on stdout and stderr.
func (e *engine) hideSecrets(configs []*config.Config) {
	e.secrets = logging.Environment(e.kit.Env)
	for _, c := range configs {
		e.secrets = append(e.secrets, notify.Secrets(c.Settings.Notify)...)
		for i := range c.Jobs {
			e.secrets = append(e.secrets, notify.Secrets(c.Jobs[i].Settings.Notify)...)
		}
	}
	e.redact = logging.NewRedactor(e.secrets)
	e.std.Out, e.std.Err = masked{e.std.Out, e.redact}, masked{e.std.Err, e.redact}
	e.log = newJournal(e.std.Err, e.debug)
}

// runConfig runs the jobs of a configuration and reports on them.
func (e *engine) runConfig(ctx context.Context, c *config.Config) (results []result) {
	r, err := e.newReport(c, false)
	if err != nil {
		e.log.Error(err)
		return []result{{job: c.Path, outcome: failed, note: cli.FirstLine(err.Error()), err: err}}
	}
	defer r.close()
	r.log.record(slog.LevelInfo, "napback begins", "file", c.Path)
	r.tellNotes(c)
	for _, c := range r.channels {
		r.warnOf(c, c.Start(ctx))
	}
	for i := range c.Jobs {
		results = append(results, r.runJobs(ctx, c, &c.Jobs[i])...)
	}
	r.finish(ctx, results)
	return results
}

// reportNothing reports that no job of a configuration could be started. The
// error is printed by who called.
func (e *engine) reportNothing(ctx context.Context, c *config.Config, err error) {
	r, openErr := e.newReport(c, cli.ExitStatus(err) == cli.Locked)
	if openErr != nil {
		e.log.Error(openErr)
		return
	}
	defer r.close()
	r.log.record(slog.LevelError, err.Error())
	var results []result
	for i := range c.Jobs {
		results = append(results, result{job: c.Jobs[i].String(), outcome: failed, note: "nothing was started: " + cli.FirstLine(err.Error()), err: err})
	}
	r.finish(ctx, results)
}

// report is what tells of the run of one configuration: its log and its channels.
// None of them can fail a backup.
type report struct {
	*engine
	channels []notify.Channel
	closer   func() error
	locked   bool // another napback is running, and the log is that one's
}

func (e *engine) newReport(c *config.Config, locked bool) (*report, error) {
	own := *e
	r := &report{engine: &own, closer: func() error { return nil }, locked: locked}
	var err error
	if !locked {
		if r.log, r.closer, err = e.openJournal(c); err != nil {
			return nil, err
		}
	}
	if r.channels, err = notify.Open(c.Settings.Notify, nil, e.redact.String); err != nil {
		return nil, errors.Join(err, r.closer())
	}
	return r, nil
}

func (r *report) close() {
	if err := r.closer(); err != nil {
		fmt.Fprintf(r.std.Err, "napback: warning: %s\n", oneLine(err.Error()))
	}
}

// finish tells how the run has ended.
func (r *report) finish(ctx context.Context, results []result) {
	worst, count := ending(results)
	var table strings.Builder
	_ = printSummary(&table, results) // strings.Builder takes everything
	ctx, cancel := lastContext(ctx, 2*time.Minute)
	defer cancel()
	report := notify.Report{
		Host: r.host, Run: r.runID, Ending: worst, Count: count, Jobs: len(results),
		Summary: table.String(), Failures: failures(results), Locked: r.locked,
	}
	for _, c := range r.channels {
		r.warnOf(c, c.Finish(ctx, report))
	}
	r.log.record(slog.LevelInfo, "napback ends", "verdict", worst.String(), "jobs", len(results))
}

// ending is the worst of the results, and how many there are of it.
func ending(results []result) (worst notify.Ending, count int) {
	for i := range results {
		one := results[i].ending()
		if one > worst {
			worst, count = one, 0
		}
		if one == worst {
			count++
		}
	}
	return worst, count
}

func (r *result) ending() notify.Ending {
	switch r.outcome {
	case failed, interrupted:
		return notify.Failed
	case doneWarned:
		return notify.Warnings
	}
	return notify.OK
}

// failures returns what a mail shows of the jobs that failed.
func failures(results []result) []notify.Failure {
	var all []notify.Failure
	for _, r := range results {
		if r.err == nil {
			continue
		}
		f := notify.Failure{Job: r.job, Error: r.err.Error()}
		var stage *chain.Error
		if errors.As(r.err, &stage) {
			f.Stage, f.Lines = stage.Cause.Stage, stage.Cause.Stderr
		}
		all = append(all, f)
	}
	return all
}

// newRunID returns the id of a run of napback, of the form that the runs of
// archives have.
func newRunID(now time.Time) string {
	return now.UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:4])
}
