package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/metrics"
	"napback/napback/page"
	"napback/napback/standing"
)

func statusCommand(std cli.Streams) *urfave.Command {
	return command(std, status, &urfave.Command{
		Name:      "status",
		Usage:     "tell whether every job has its backups",
		ArgsUsage: "[JOB...]",
		Description: "Prints for each job its last good backup and when the next is due. Exits 3 if the last\n" +
			"run of a job failed or was killed, or if a job is overdue, was never backed up, or has a\n" +
			"newest archive or a last proof that could not be restored; 1 if a bucket does not answer.",
		Flags: []urfave.Flag{ownerFlag(), hostFlag(), jsonFlag(), prometheusFlag(), htmlFlag()},
	})
}

func prometheusFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "prometheus", Usage: "write metrics for Prometheus to `FILE`, a textfile collector's *.prom, or - for stdout", TakesFile: true}
}

func status(c *urfave.Context, e *call, configs []*config.Config) error {
	if c.IsSet("prometheus") {
		if c.Bool("json") {
			return cli.UsageErrorf("--prometheus and --json are two forms: give one")
		}
		if err := metrics.CheckPath(c.String("prometheus")); err != nil {
			return cli.WithCode(cli.Usage, fmt.Errorf("--prometheus: %w", err))
		}
	}
	if err := checkHTML(c); err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	lines, drawn, err := e.standings(c, configs, wanted)
	if err != nil {
		return err
	}
	if c.IsSet("html") {
		if err := writePage(c.String("html"), e.std.Out, drawn); err != nil {
			return err
		}
	}
	if err := e.printStandings(c, lines); err != nil {
		return err
	}
	return verdict(lines)
}

// printStandings gives them the form that the command line asks for.
func (e *call) printStandings(c *urfave.Context, lines []standing.Standing) error {
	now := e.host.Now()
	switch {
	case c.IsSet("prometheus"):
		text, err := metrics.Text(lines, now, cli.Version())
		if err != nil {
			return err
		}
		if path := c.String("prometheus"); path != "-" {
			return metrics.Write(path, text)
		}
		return cli.Printf(e.std.Out, "%s", text)
	case c.Bool("json"):
		return cli.PrintJSON(e.std.Out, lines)
	case c.IsSet("html"):
		return nil
	}
	return printStatus(e.std.Out, lines, now)
}

// standings tells how jobs stand, and what of it is drawn on the page.
func (e *call) standings(c *urfave.Context, configs []*config.Config, wanted []jobs.Target) ([]standing.Standing, page.Page, error) {
	clock := jobs.Clock{Now: e.host.Now(), Today: func(store time.Time) slot.Date { return backup.DateBy(e.day, e.host.Now(), store).Today }}
	var lines []standing.Standing
	drawn := page.Page{Host: e.host.Name, At: clock.Now}
	for _, t := range wanted {
		if t.Job == nil {
			return nil, drawn, cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule to be judged by", t.Name)
		}
		s, a, err := e.finder().Standing(c.Context, t, choiceOf(c), clock, nil)
		if c.Context.Err() != nil {
			return nil, drawn, err
		}
		if err != nil { // one bucket that does not answer must not hide the others
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("%s: %w", t.Job, err))
		} else {
			e.finder().Warn(t, a, catalog.RecoveryPoint{Entry: catalog.Entry{Run: newestRun(a)}})
		}
		lines = append(lines, s)
		drawn.Jobs = append(drawn.Jobs, page.Job{
			Standing: s, Schedule: t.Job.Settings.Schedule, Today: clock.Today(time.Time{}), Archives: a, Checked: standing.CheckedOn(e.finder().Record(t), a),
		})
	}
	if c.NArg() == 0 {
		for _, s := range e.finder().Directories(configs, wanted, clock) {
			lines = append(lines, s)
			drawn.Jobs = append(drawn.Jobs, page.Job{Standing: s, Today: clock.Today(time.Time{})})
		}
	}
	return lines, drawn, nil
}

// verdict is the exit code that some standings make.
func verdict(lines []standing.Standing) error {
	bad := false
	for _, s := range lines {
		switch {
		case s.State == standing.Unknown:
			return cli.Exit(cli.Failed)
		case s.State.Bad(), s.Proof != nil && s.Proof.Failed:
			bad = true
		}
	}
	if bad {
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
	proved := slices.ContainsFunc(lines, func(s standing.Standing) bool { return s.Proof != nil })
	if proved {
		rows[0] = append(rows[0], "PROVED")
	}
	for _, s := range lines {
		last, kind, size, old, kept := "-", "-", "-", "-", "-"
		if s.Committed != nil {
			last, kind, size, old = s.Last, s.Type, cli.FormatSize(s.Bytes), standing.Age(now.Sub(*s.Committed))
			kept = fmt.Sprintf("%d since %s", s.Archives, s.Oldest)
		}
		row := []string{s.Job, string(s.State), last, kind, size, old, kept, s.Next}
		if proved {
			row = append(row, proofAge(s, now))
		}
		rows = append(rows, row)
	}
	if err := cli.PrintTable(w, rows); err != nil {
		return err
	}
	for _, s := range lines {
		if s.Reason != "" {
			if err := cli.Printf(w, "%s: %s: %s\n", cli.Safe(s.Job), s.State, cli.Safe(s.Reason)); err != nil {
				return err
			}
		}
		if p := s.Proof; p != nil && p.Failed {
			if err := cli.Printf(w, "%s: the proof of %s FAILED: %s\n", cli.Safe(s.Job), cli.Safe(p.Date), cli.Safe(p.Reason)); err != nil {
				return err
			}
		}
	}
	return nil
}

// proofAge tells when the last proof was made.
func proofAge(s standing.Standing, now time.Time) string {
	switch {
	case s.Proof == nil:
		return "never"
	case s.Proof.Failed:
		return "FAILED"
	}
	return standing.Age(now.Sub(s.Proof.At)) + " ago"
}
