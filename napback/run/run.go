// Package run runs the jobs of configurations, one after the other, and tells how
// that went:
//
//  1. What must not be told to anybody is found out, and masked wherever it would
//     be printed or logged.
//  2. All recipients are checked, and every DiffDir is locked. If that fails
//     nothing is started, and each configuration's channels are told so.
//  3. Of each configuration the log is opened, its channels are told that it begins,
//     and its jobs run (type jobRun). Whatever happens to one, the next one runs.
//  4. The metrics are written; the channels, and RunFinished, are told how it has
//     ended (type report).
//  5. The summary of all jobs is printed. The exit code is that of the worst.
package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/journal"
	"napback/napback/logging"
	"napback/napback/notify"
	"napback/napback/priority"
	"napback/napback/state"
	"napback/napback/tools"
)

// Run is one call of napback that backs up.
type Run struct {
	Std   cli.Streams
	Host  backup.Host // each job has its own Log
	Day   decide.Day
	Debug bool // say everything on stderr
	Lower func() priority.Programs
	// Progress, if not nil, shows how far each job is. Std goes through it.
	Progress *cli.Progress

	all     []jobs.Target
	log     *journal.Journal
	id      string
	secrets []string
	redact  *logging.Redactor
	keys    backup.Keys
	clocks  backup.Clocks
}

// Jobs runs all jobs of the configurations, one after the other, and prints the
// summary. The error has the exit code of the run; what was printed when it happened
// is not printed again.
func (r *Run) Jobs(ctx context.Context, configs []*config.Config) error {
	// Runs of napback have ids of the form that the runs of archives have.
	r.id = r.Host.Now().UTC().Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:4])
	r.clocks = backup.Clocks{}
	r.hideSecrets(configs)
	release := func() {}
	err := r.checkRecipients(ctx, configs)
	if err == nil {
		release, err = Lock(configs)
	}
	if err != nil {
		for _, c := range configs {
			r.reportNothing(ctx, c, err)
		}
		return err
	}
	defer release()
	r.all = jobs.All(configs)
	began := r.Host.Now()
	var all report // of all configurations
	worst := notify.OK
	for _, c := range configs {
		p := r.runConfig(ctx, c)
		all.results, all.warnings = append(all.results, p.results...), append(all.warnings, p.warnings...)
		one, _ := p.ending()
		worst = max(worst, one)
	}
	if err := printSummary(r.Std.Out, all.results, all.warnings, r.Host.Now().Sub(began)); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	switch worst {
	case notify.Failed:
		return cli.Exit(cli.Failed)
	case notify.Warnings:
		return cli.Exit(cli.Warnings)
	}
	return nil
}

// machine is this machine, as a backup that notes in log sees it.
func (r *Run) machine(log tools.Log) backup.Host {
	h := r.Host
	h.Log = log
	return h
}

func (r *Run) checkRecipients(ctx context.Context, configs []*config.Config) (err error) {
	r.keys, err = r.machine(r.log).CheckRecipients(ctx, configs, func(line string) { fmt.Fprintln(r.Std.Err, cli.Safe(line)) })
	return err
}

// hideSecrets finds out what is secret, and masks it on stdout and stderr.
func (r *Run) hideSecrets(configs []*config.Config) {
	r.secrets = logging.Environment(r.Host.Kit.Env)
	for _, c := range configs {
		r.secrets = append(r.secrets, notify.Secrets(c.Settings.Notify)...)
		for i := range c.Jobs {
			r.secrets = append(r.secrets, notify.Secrets(c.Jobs[i].Settings.Notify)...)
		}
	}
	r.redact = logging.NewRedactor(r.secrets)
	r.Std.Out, r.Std.Err = journal.Masked{W: r.Std.Out, Redact: r.redact}, journal.Masked{W: r.Std.Err, Redact: r.redact}
	r.log = journal.New(r.Std.Err, r.Debug)
}

// runConfig runs the jobs of a configuration and reports on them.
func (r *Run) runConfig(ctx context.Context, c *config.Config) *report {
	p := r.newReport(c, false)
	defer p.close()
	p.begin(ctx)
	for i := range c.Jobs {
		p.results = append(p.results, p.runJobs(ctx, &c.Jobs[i])...)
	}
	p.finish(ctx)
	return p
}

// reportNothing reports that no job of a configuration could be started. The
// error is printed by who called.
func (r *Run) reportNothing(ctx context.Context, c *config.Config, err error) {
	locked := cli.ExitStatus(err) == cli.Locked
	if !locked {
		r.refusedWithoutLock(c, err)
	}
	p := r.newReport(c, locked)
	defer p.close()
	p.nothing(err)
	p.finish(ctx)
}

// Lock locks the DiffDirs of all configurations.
func Lock(configs []*config.Config) (release func(), err error) {
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
