package run

import (
	"context"
	"fmt"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/journal"
)

// planHeader introduces the output of -t.
const planHeader = `# What napback would run, as lines for a shell. By hand, s3put has to trust the
# shell that the commands before it have succeeded; napback itself commits only then.
`

// Show prints what the jobs would run, and runs nothing (-t).
func (r *Run) Show(ctx context.Context, configs []*config.Config) error {
	r.log = journal.New(r.Std.Err, r.Debug)
	for _, c := range configs {
		r.log.Notes(c)
	}
	if err := r.checkRecipients(ctx, configs); err != nil {
		return err
	}
	if err := cli.Printf(r.Std.Out, "%s", planHeader); err != nil {
		return err
	}
	bad := false
	for _, c := range configs {
		for i := range c.Jobs {
			ok, err := r.showJobs(ctx, c, &c.Jobs[i])
			if err != nil {
				return err
			}
			bad = bad || !ok
		}
		if hook := c.Settings.RunFinished; len(hook) > 0 {
			if err := cli.Printf(r.Std.Out, "\n%s", backup.Comment("at the end of the run: "+shell.Quote(hook...))); err != nil {
				return err
			}
		}
	}
	if bad {
		return cli.Exit(cli.Failed)
	}
	return nil
}

// showJobs prints the part of a job, or of each of those that it stands for. It
// returns false if one would fail.
func (r *Run) showJobs(ctx context.Context, c *config.Config, job *config.Job) (ok bool, err error) {
	ok = true
	say := func(job *config.Job, text string, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			ok = false
			cli.PrintError(r.Std.Err, "napback", fmt.Errorf("%s: %w", job, err))
			text = backup.Comment(fmt.Sprintf("%s: would fail: %s", job, cli.FirstLine(err.Error())))
		}
		return cli.Printf(r.Std.Out, "\n%s", text)
	}
	jobs, warnings, failed := r.expand(c, job)
	for _, w := range warnings {
		if err := say(job, backup.Comment(fmt.Sprintf("%s: warning: %s", job, w)), nil); err != nil {
			return ok, err
		}
	}
	if failed != nil {
		err = say(job, "", failed)
		return ok, err
	}
	for i := range jobs {
		text := ""
		b, err := backup.New(ctx, r.machine(r.log), r.Day, backup.Options{Keys: r.keys, Lower: r.Lower}, &jobs[i])
		if err == nil {
			text, err = b.Show(ctx)
		}
		if err := say(&jobs[i], text, err); err != nil {
			return ok, err
		}
	}
	return ok, nil
}
