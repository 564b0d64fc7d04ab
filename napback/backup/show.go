package backup

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/catalog"
	"napback/napback/chain"
)

// Show writes what the backup would run, as lines for a shell and comments, and runs
// nothing.
func (b *Backup) Show(ctx context.Context) (string, error) {
	var notes []string
	note := func(text string) { notes = append(notes, "note: "+text) }
	warn := func(text string) { notes = append(notes, "warning: "+text) }
	found, err := b.host.Survey(ctx, b.job, b.dir, b.day)
	if err != nil && ctx.Err() == nil {
		// A plan is worth seeing also without the network.
		note("the bucket does not answer, so the job would fail; this is by the local state: " + err.Error())
		found, err = b.host.SurveyOf(ctx, b.job, b.dir, b.day, &catalog.Contents{ListDenied: true})
	}
	if err == nil {
		err = b.decide(ctx, found, note, warn)
	}
	if err != nil {
		return "", err
	}
	d := b.decision
	var text strings.Builder
	say := func(format string, args ...any) { text.WriteString(Comment(fmt.Sprintf(format, args...))) }
	due := "due"
	switch {
	case d.Done && !b.Force:
		due = "done today"
	case !d.Due && !b.Force:
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
	say("%s on %s: slot %d, %s, %s", b.job, b.Today, d.Slot.Number, kind, due)
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
func (b *Backup) commands() (string, error) {
	before, stages, err := b.source.Plan(b.turn())
	if err != nil {
		return "", err
	}
	producers, put, err := b.chain(b.decision.Name(b.job.Name), stages, true)
	if err != nil {
		return "", err
	}
	if before != "" {
		before += " &&\n"
	}
	first := chain.Chain{Stages: producers}
	if b.job.Settings.UseTempFile {
		second := chain.Chain{Stages: []chain.Stage{put}}
		// The next run removes it if the person forgets it (spoolName).
		file := shell.Quote(filepath.Join(b.job.Settings.TempDir, "napback-0.tmp"))
		return fmt.Sprintf("%s(umask 077; LC_ALL=C %s >%s) &&\nLC_ALL=C %s <%[3]s; rm -f %[3]s\n", before, first.Lines(), file, second.Lines()), nil
	}
	first.Stages = append(first.Stages, put)
	return before + "LC_ALL=C " + first.Lines() + "\n", nil
}

// hookLines are the hooks as -t shows them, which does not run them.
func (b *Backup) hookLines() string {
	set := &b.job.Settings
	text := ""
	for _, hook := range []struct {
		when string
		argv []string
	}{{"before it", set.RunBefore}, {"after it", set.RunAfter}, {"if it fails", set.RunOnFailure}} {
		if len(hook.argv) > 0 {
			text += Comment(hook.when + ": " + shell.Quote(hook.argv...))
		}
	}
	return text
}

// Comment is a line of text that a shell does not obey.
func Comment(text string) string { return "# " + cli.Safe(text) + "\n" }
