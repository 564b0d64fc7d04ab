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
// the summary. The error has the exit code of the run; what of it was told when
// it happened is not printed again.
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
	switch v, _ := verdict(results); v {
	case notify.Failed:
		return cli.Exit(cli.Failed)
	case notify.Warnings:
		return cli.Exit(cli.Warnings)
	}
	return nil
}

// hideSecrets learns what must not be told, and keeps it from stdout and stderr.
func (e *engine) hideSecrets(configs []*config.Config) {
	e.secrets = logging.Environment(e.kit.Env)
	for _, c := range configs {
		e.secrets = append(e.secrets, notify.PingSecrets(c.Settings.PingURL)...)
		for i := range c.Jobs {
			e.secrets = append(e.secrets, notify.PingSecrets(c.Jobs[i].Settings.PingURL)...)
		}
	}
	e.redact = logging.NewRedactor(e.secrets)
	e.std.Out, e.std.Err = masked{e.std.Out, e.redact}, masked{e.std.Err, e.redact}
	e.log = newJournal(e.std.Err, e.debug)
}

// runConfig runs the jobs of a configuration and reports on them.
func (e *engine) runConfig(ctx context.Context, c *config.Config) (results []result) {
	r, err := e.newReport(c)
	if err != nil {
		e.log.Error(err)
		return []result{{job: c.Path, outcome: failed, note: cli.FirstLine(err.Error()), err: err}}
	}
	defer r.close()
	r.log.record(slog.LevelInfo, "napback begins", "file", c.Path)
	r.tellNotes(c)
	r.start(ctx)
	for i := range c.Jobs {
		results = append(results, r.runJobs(ctx, c, &c.Jobs[i])...)
	}
	r.finish(ctx, results)
	return results
}

// reportNothing reports that no job of a configuration could be started. The
// error is printed by who called.
func (e *engine) reportNothing(ctx context.Context, c *config.Config, err error) {
	r := &report{engine: e, config: c, closer: func() error { return nil }}
	// While another napback is running, log and ping are that one's.
	if cli.ExitStatus(err) != cli.Locked {
		var openErr error
		if r, openErr = e.newReport(c); openErr != nil {
			e.log.Error(openErr)
			return
		}
	}
	defer r.close()
	r.log.record(slog.LevelError, err.Error())
	var results []result
	for i := range c.Jobs {
		results = append(results, result{job: c.Jobs[i].String(), outcome: failed, note: "nothing was started: " + cli.FirstLine(err.Error()), err: err})
	}
	r.finish(ctx, results)
}

// report is how the run of one configuration is told: log, mail and ping. None
// of them can fail a backup.
type report struct {
	*engine
	config *config.Config
	ping   *notify.Ping
	closer func() error
}

func (e *engine) newReport(c *config.Config) (*report, error) {
	log, closer, err := e.openJournal(c)
	if err != nil {
		return nil, err
	}
	own := *e
	own.log = log
	r := &report{engine: &own, config: c, closer: closer}
	if r.ping, err = notify.NewPing(c.Settings.PingURL, e.redact.String); err != nil {
		return nil, errors.Join(err, closer())
	}
	return r, nil
}

func (r *report) close() {
	if err := r.closer(); err != nil {
		fmt.Fprintf(r.std.Err, "napback: warning: %s\n", oneLine(err.Error()))
	}
}

func (r *report) start(ctx context.Context) { r.warnOf("the ping", r.ping.Start(ctx)) }

// finish tells how the run has ended.
func (r *report) finish(ctx context.Context, results []result) {
	v, count := verdict(results)
	var table strings.Builder
	_ = printSummary(&table, results) // strings.Builder takes everything
	ctx, cancel := lastContext(ctx, 2*time.Minute)
	defer cancel()
	if v == notify.Failed {
		r.warnOf("the ping", r.ping.Fail(ctx, table.String()))
	} else {
		r.warnOf("the ping", r.ping.Success(ctx, table.String()))
	}
	set := &r.config.Settings
	if len(set.MailTo) > 0 && notify.Due(set.MailOn, v) {
		m := notify.Message{
			Host: r.host, Run: r.runID, Verdict: v, Count: count, Jobs: len(results),
			Summary: table.String(), Failures: failures(results),
		}
		r.warnOf("the mail", notify.SendMail(ctx, r.mailOptions(), m))
	}
	r.log.record(slog.LevelInfo, "napback ends", "verdict", v.String(), "jobs", len(results))
}

func (r *report) mailOptions() notify.MailOptions {
	set := &r.config.Settings
	return notify.MailOptions{
		To: set.MailTo, From: set.MailFrom, Server: set.MailServer, PasswordFile: set.MailPasswordFile,
		Redact: r.redact.String,
	}
}

// verdict is the worst of the results, and how many there are of it.
func verdict(results []result) (worst notify.Verdict, count int) {
	for i := range results {
		v := results[i].verdict()
		if v > worst {
			worst, count = v, 0
		}
		if v == worst {
			count++
		}
	}
	return worst, count
}

func (r *result) verdict() notify.Verdict {
	switch r.outcome {
	case failed, interrupted:
		return notify.Failed
	case doneWarned:
		return notify.Warnings
	}
	return notify.OK
}

// failures tells of the jobs that failed what a mail shows.
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
