package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/jobs"
)

// defaultOlderThan leaves whoever looks after backups time to see that something
// is wrong with new ones before old ones go.
const defaultOlderThan = "7d"

func pruneCommand(std cli.Streams) *urfave.Command {
	return command(std, pruneJobs, &urfave.Command{
		Name:      "prune",
		Usage:     "remove archives that the schedule no longer keeps, for hosts that may not delete",
		ArgsUsage: "[JOB...]",
		Description: "For an administrator's machine, with credentials that may delete. Of each owner it\n" +
			"removes what newer, whole archives of the same owner have replaced, by the slots of\n" +
			"the job's schedule. What others build on stays. Shows what would go, and asks.",
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "older-than", Value: defaultOlderThan, Usage: "what replaces must have been stored `TIME` ago (7d, 48h)"},
			ownerFlag(), hostFlag(),
			&urfave.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask"},
			&urfave.BoolFlag{Name: "pretend", Aliases: []string{"p"}, Usage: "show what would go, and remove nothing"},
		},
	})
}

func pruneJobs(c *urfave.Context, e *call, configs []*config.Config) error {
	age, err := parseAge(c.String("older-than"))
	if err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	var all []backup.Pruning
	for _, t := range wanted {
		if err := notInside(t, "prune"); err != nil {
			return err
		}
		if t.Job == nil {
			return cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule to prune by", t.Name)
		}
		l, err := e.finder().Listing(c.Context, t)
		if err != nil {
			return fmt.Errorf("prune %q: %w", t.Name, err)
		}
		some, err := e.host.Prunings(c.Context, t.Job, l, choiceOf(c), age)
		if err != nil {
			return fmt.Errorf("prune %q: %w", t.Name, err)
		}
		all = append(all, some...)
	}
	if err := showPrunings(e.std.Out, all, c.Bool("pretend")); err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p backup.Pruning) bool { return len(p.Gone) == 0 })
	if len(all) == 0 || c.Bool("pretend") {
		return nil
	}
	if err := confirmed(c.Context, e.std, c.Bool("yes"), "Remove these archives?", "prune"); err != nil {
		return err
	}
	for _, p := range all {
		if err := p.Remove(c.Context, e.host); err != nil {
			return fmt.Errorf("prune %q: %w", p.Job.Name, err)
		}
	}
	return nil
}

// notInside refuses a job that was found by a path inside its source, which may have been
// the source of another job once.
func notInside(t jobs.Target, command string) error {
	if t.Path == "" {
		return nil
	}
	return cli.WithHint(cli.Errorf(cli.NotFound, "%s: no job has the source %q", command, t.Path), "it is in that of %s", cli.Safe(t.Name))
}

// parseAge reads a number of days (7d) or a duration (48h).
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if _, err := fmt.Sscanf(days+"\n", "%d\n", &n); err == nil && n >= 0 && n < 100_000 && fmt.Sprint(n) == days {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, cli.UsageErrorf("--older-than %q: want days or hours, as 7d or 48h", text)
}

// showPrunings prints what there is of each owner, and what may go.
func showPrunings(w io.Writer, all []backup.Pruning, each bool) error {
	rows := [][]string{{"JOB", "OWNER", "HOST", "ARCHIVES", "SIZE", "TO REMOVE", "SIZE"}}
	for _, p := range all {
		rows = append(rows, []string{p.Job.Name, cmp.Or(p.Group.Owner, backup.NoOwner), p.Group.Host, fmt.Sprint(p.Group.Count),
			cli.FormatSize(p.Group.Bytes), fmt.Sprint(len(p.Gone)), cli.FormatSize(p.Bytes())})
	}
	if err := cli.PrintTable(w, rows); err != nil || !each {
		return err
	}
	for _, p := range all {
		for _, r := range p.Gone {
			if err := cli.Printf(w, "would remove %s (%s, %s)\n", cli.Safe(r.Address()), cli.Safe(r.Date()), cli.FormatSize(r.Bytes)); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirmed asks on a terminal, unless yes says that it need not be asked.
func confirmed(ctx context.Context, std cli.Streams, yes bool, question, command string) error {
	if yes {
		return nil
	}
	if !cli.IsTerminal(std.In) {
		return cli.WithHint(cli.UsageErrorf("%s asks before it changes anything, and there is no terminal to ask on", command), "-y answers yes")
	}
	ok, err := cli.Confirm(ctx, std, question)
	if err == nil && !ok {
		err = fmt.Errorf("%s: not confirmed, nothing is changed", command)
	}
	return err
}
