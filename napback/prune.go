package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/retire"
	"napback/napback/state"
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

// pruning is what may go of one job's archives of one owner.
type pruning struct {
	target target
	group  catalog.Group
	gone   []catalog.Entry
}

func (p *pruning) bytes() (n int64) {
	for _, r := range p.gone {
		n += r.Bytes
	}
	return n
}

func pruneJobs(c *urfave.Context, e *engine, configs []*config.Config) error {
	age, err := parseAge(c.String("older-than"))
	if err != nil {
		return err
	}
	wanted, err := e.wantedTargets(c, configs)
	if err != nil {
		return err
	}
	var all []pruning
	for _, t := range wanted {
		if t.job == nil {
			return cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule to prune by", t.name)
		}
		some, err := e.prunings(c.Context, t, choiceOf(c), age)
		if err != nil {
			return fmt.Errorf("prune %q: %w", t.name, err)
		}
		all = append(all, some...)
	}
	if err := e.showPrunings(all, c.Bool("pretend")); err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p pruning) bool { return len(p.gone) == 0 })
	if len(all) == 0 || c.Bool("pretend") {
		return nil
	}
	if err := confirmed(c.Context, e.std, c.Bool("yes"), "Remove these archives?", "prune"); err != nil {
		return err
	}
	for _, p := range all {
		var runs []retire.Run
		for _, r := range p.gone {
			runs = append(runs, retire.Run{Name: r.Name, ID: r.Run})
		}
		if err := e.removeRuns(c.Context, p.target.settings, runs); err != nil {
			return fmt.Errorf("prune %q: %w", p.target.name, err)
		}
	}
	return nil
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

// prunings decides, for each owner of archives of the job's name and source, what
// may go.
func (e *engine) prunings(ctx context.Context, t target, who choice, age time.Duration) ([]pruning, error) {
	l, err := e.listing(ctx, t.settings, t.name+"-")
	if err != nil {
		return nil, err
	}
	now := l.Time
	if now.IsZero() {
		now = e.now()
	}
	if err := checkFuture(l.Entries, now, endpointOf(t.settings, e.tools.env)); err != nil {
		return nil, err
	}
	h := &holdings{time: now, runs: slices.DeleteFunc(l.Entries, func(r catalog.Entry) bool {
		_, _, ours := slotOf(r.Name, t.name)
		return !ours
	})}
	var all []pruning
	for _, g := range catalog.Groups(h.runs, t.name) {
		if who.owner != "" && g.Owner != who.owner || who.host != "" && g.Host != who.host || g.Source != t.job.String() {
			continue
		}
		p := &planner{job: t.job, now: now, held: h, record: recordOf(g, now.Add(-age))}
		plan, err := e.decideRetirement(ctx, p)
		if err != nil {
			return nil, err
		}
		one := pruning{target: t, group: g}
		for _, r := range plan.Gone {
			entry, _ := h.there(r.Name, r.ID)
			one.gone = append(one.gone, entry)
		}
		all = append(all, one)
	}
	return all, nil
}

// recordOf is the state of an owner as the bucket alone tells it: of the archives
// whose manifests were stored until a time, in the order of that.
func recordOf(g catalog.Group, until time.Time) state.Record {
	var r state.Record
	entries := slices.Clone(g.Archives())
	slices.SortStableFunc(entries, func(a, b catalog.Entry) int { return a.Modified.Compare(b.Modified) })
	for _, entry := range entries {
		if k, ok := storedRun(entry); ok && !entry.Modified.IsZero() && !entry.Modified.After(until) {
			r.Runs = append(r.Runs, k)
		}
	}
	return r
}

// slackOfClocks is how far ahead an object in a directory may be: two machines may
// write to it.
const slackOfClocks = time.Minute

// checkFuture refuses a directory store while anything in it lies in the future: it
// has no clock but this machine's, which then is, or was, wrong.
func checkFuture(runs []catalog.Entry, now time.Time, endpoint string) error {
	if !strings.HasPrefix(endpoint, "file:") {
		return nil
	}
	for _, r := range runs {
		if limit := now.Add(slackOfClocks); r.Began().After(limit) || r.Modified.After(limit) || r.Committed.After(limit) {
			return cli.WithHint(fmt.Errorf("%s of run %s lies in the future, and a directory has no clock of its own to tell what is older", r.Name, r.Run),
				"if the clock is right now, remove that run with s3rm, or wait until its time has come")
		}
	}
	return nil
}

// showPrunings prints what there is of each owner, and what may go.
func (e *engine) showPrunings(all []pruning, each bool) error {
	table := tabwriter.NewWriter(e.std.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tOWNER\tHOST\tARCHIVES\tSIZE\tTO REMOVE\tSIZE")
	for _, p := range all {
		owner := p.group.Owner
		if owner == "" {
			owner = noOwner
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%d\t%s\n", oneLine(p.target.name), oneLine(owner), oneLine(p.group.Host), p.group.Count,
			cli.FormatSize(p.group.Bytes), len(p.gone), cli.FormatSize(p.bytes()))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	for _, p := range all {
		for _, r := range p.gone {
			if !each {
				break
			}
			if _, err := fmt.Fprintf(e.std.Out, "would remove %s (%s, %s)\n", oneLine(r.Address()), oneLine(r.Date()), cli.FormatSize(r.Bytes)); err != nil {
				return fmt.Errorf("write stdout: %w", err)
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
