package main

import (
	"context"
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/tools"
)

// planHeader introduces the output of -t.
const planHeader = `# What napback would run, as lines for a shell. By hand, s3put has to trust the
# shell that the commands before it have succeeded; napback itself commits only then.
`

// printPlan prints what the jobs would run, and runs nothing (-t).
func (e *engine) printPlan(ctx context.Context, configs []*config.Config) error {
	if _, err := fmt.Fprint(e.std.Out, planHeader); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	bad := false
	for _, c := range configs {
		for i := range c.Jobs {
			ok, err := e.planJobs(ctx, c, &c.Jobs[i])
			if err != nil {
				return err
			}
			bad = bad || !ok
		}
	}
	if bad {
		return cli.Exit(cli.Failed)
	}
	return nil
}

// planJobs prints the part of a job, or of each of those that it stands for. It
// returns false if one would fail.
func (e *engine) planJobs(ctx context.Context, c *config.Config, job *config.Job) (ok bool, err error) {
	ok = true
	say := func(job *config.Job, text string, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			ok = false
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("%s: %w", job, err))
			text = comment(fmt.Sprintf("%s: would fail: %s", job, cli.FirstLine(err.Error())))
		}
		if _, err := fmt.Fprint(e.std.Out, "\n"+text); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
		return nil
	}
	jobs, warnings, failed := e.expand(c, job)
	for _, w := range warnings {
		if err := say(job, comment(fmt.Sprintf("%s: warning: %s", job, w)), nil); err != nil {
			return ok, err
		}
	}
	if failed != nil {
		err = say(job, "", failed)
		return ok, err
	}
	for i := range jobs {
		text, err := e.planJob(ctx, &jobs[i])
		if err := say(&jobs[i], text, err); err != nil {
			return ok, err
		}
	}
	return ok, nil
}

// planJob writes a job's part of the plan.
func (e *engine) planJob(ctx context.Context, job *config.Job) (string, error) {
	own := *e // its date may be another
	b, err := own.newBackup(ctx, job)
	if err != nil {
		return "", err
	}
	var notes []string
	note := func(text string) { notes = append(notes, "note: "+text) }
	warn := func(text string) { notes = append(notes, "warning: "+text) }
	if err := b.prepare(ctx, note, warn); err != nil {
		if b.survey != nil || ctx.Err() != nil {
			return "", err
		}
		// A plan is worth seeing also without the network.
		note("the bucket does not answer, so the job would fail; this is by the local state: " + err.Error())
		found, err := own.machine().SurveyOf(ctx, job, b.dir, own.Day, &catalog.Contents{ListDenied: true})
		if err == nil {
			err = b.decide(ctx, found, note, warn)
		}
		if err != nil {
			return "", err
		}
	}
	d := b.decision
	var text strings.Builder
	say := func(format string, args ...any) { text.WriteString(comment(fmt.Sprintf(format, args...))) }
	due := "due"
	switch {
	case d.Done && !e.Force:
		due = "done today"
	case !d.Due && !e.Force:
		due = "not due"
	case d.Done:
		due = "done today, forced"
	case !d.Due:
		due = "not due, forced"
	}
	kind := d.Kind
	if kind == "" {
		kind = d.Slot.Type
	}
	say("%s on %s: slot %d, %s, %s", job, b.Today, d.Slot.Number, kind, due)
	if d.Why != "" {
		say("a FULL because %s", d.Why)
	}
	for _, n := range notes {
		say("%s", n)
	}
	if d.Nothing {
		say("nothing is new since the last backup")
	}
	if d.Kind == "" || d.Nothing {
		return text.String(), nil
	}
	lines, err := b.commands()
	return text.String() + b.hookLines() + lines, err
}

// commands writes the chain as lines for a shell.
func (b *jobBackup) commands() (string, error) {
	before, stages, err := b.source.Plan(b.turn())
	if err != nil {
		return "", err
	}
	producers, put, err := b.chain(b.decision.Name(b.job.Name), stages)
	if err != nil {
		return "", err
	}
	put = tools.ByHand(put)
	if before != "" {
		before += " && "
	}
	first := chain.Chain{Stages: producers}
	if b.job.Settings.UseTempFile {
		file := chain.Quote(spoolByHand(b.job.Settings.TempDir))
		return fmt.Sprintf("%s(umask 077; LC_ALL=C %s >%s) && LC_ALL=C %s <%[3]s; rm -f %[3]s\n", before, &first, file, put), nil
	}
	first.Stages = append(first.Stages, put)
	return before + "LC_ALL=C " + first.String() + "\n", nil
}

func comment(text string) string { return "# " + oneLine(text) + "\n" }
