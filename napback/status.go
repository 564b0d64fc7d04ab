package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/page"
	"napback/napback/standing"
)

func statusCommand(std cli.Streams) *urfave.Command {
	return command(std, status, &urfave.Command{
		Name:      "status",
		Usage:     "tell whether every job has its backups",
		ArgsUsage: "[JOB...]",
		Description: "Prints for each job its last good backup and when the next is due. Exits 3 if a job\n" +
			"is overdue, was never backed up, or has a newest archive that cannot be restored.",
		Flags: []urfave.Flag{ownerFlag(), hostFlag(), jsonFlag(), htmlFlag()},
	})
}

func status(c *urfave.Context, e *call, configs []*config.Config) error {
	if err := checkHTML(c); err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	var lines []standing.Standing
	drawn := page.Page{Host: e.host.Name, At: e.host.Now()}
	for _, t := range wanted {
		if t.Job == nil {
			return cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule to be judged by", t.Name)
		}
		// Somebody else's backups say nothing of how this host's are.
		who := choiceOf(c)
		who.Strict = true
		a, clock, err := e.finder().Archives(c.Context, t, who)
		if c.Context.Err() != nil {
			return err
		}
		if err != nil {
			// One bucket that does not answer must not hide the others.
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("%s: %w", t.Job, err))
			lines = append(lines, standing.Standing{Job: t.Name, Source: t.Job.String(), State: standing.Unknown,
				Next: standing.NextDue(t.Job.Settings.Schedule, e.day.Today).String(), Reason: cli.FirstLine(err.Error())})
			drawn.Jobs = append(drawn.Jobs, e.drawn(c, t, page.Job{Standing: lines[len(lines)-1], Today: e.day.Today}))
			continue
		}
		today, checked := backup.DateBy(e.day, e.host.Now(), clock).Today, standing.CheckedOn(e.finder().Record(t), a)
		s := standing.Judge(t.Job.Settings.Schedule, today, a, checked)
		s.Job, s.Source = t.Name, t.Job.String()
		e.finder().Warn(t, a, catalog.RecoveryPoint{Entry: catalog.Entry{Run: newestRun(a)}})
		lines = append(lines, s)
		drawn.Jobs = append(drawn.Jobs, e.drawn(c, t, page.Job{Standing: s, Today: today, Archives: a, Checked: checked}))
	}
	if c.IsSet("html") {
		err = writePage(c.String("html"), e.std.Out, drawn)
	}
	switch {
	case err != nil:
	case c.Bool("json"):
		err = cli.PrintJSON(e.std.Out, lines)
	case !c.IsSet("html"):
		err = printStatus(e.std.Out, lines, e.host.Now())
	}
	if err != nil {
		return err
	}
	is := func(states ...standing.Health) bool {
		return slices.ContainsFunc(lines, func(s standing.Standing) bool { return slices.Contains(states, s.State) })
	}
	switch {
	case is(standing.Unknown):
		return cli.Exit(cli.Failed)
	case is(standing.Overdue, standing.Never, standing.Broken):
		return cli.Exit(cli.Warnings)
	}
	return nil
}

func newestRun(a catalog.Archives) string {
	newest := ""
	for _, r := range a.All {
		newest = max(newest, r.Run)
	}
	return newest
}

func printStatus(w io.Writer, lines []standing.Standing, now time.Time) error {
	rows := [][]string{{"JOB", "STATE", "LAST", "TYPE", "SIZE", "AGE", "RESTORABLE", "NEXT"}}
	for _, s := range lines {
		last, kind, size, old, kept := "-", "-", "-", "-", "-"
		if s.Committed != nil {
			last, kind, size, old = s.Last, s.Type, cli.FormatSize(s.Bytes), age(now.Sub(*s.Committed))
			kept = fmt.Sprintf("%d since %s", s.Archives, s.Oldest)
		}
		rows = append(rows, []string{s.Job, string(s.State), last, kind, size, old, kept, s.Next})
	}
	if err := cli.PrintTable(w, rows); err != nil {
		return err
	}
	for _, s := range lines {
		if s.Reason == "" {
			continue
		}
		if err := cli.Printf(w, "%s: %s: %s\n", cli.Safe(s.Job), s.State, cli.Safe(s.Reason)); err != nil {
			return err
		}
	}
	return nil
}
