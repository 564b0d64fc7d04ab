package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/drill"
	"napback/napback/unpack"
)

func drillCommand(std cli.Streams) *urfave.Command {
	return command(std, drillJobs, &urfave.Command{
		Name:      "drill",
		Usage:     "prove that backups can be restored, by restoring them into a scratch directory",
		ArgsUsage: "[JOB...]",
		Description: "Restores the newest backup of the jobs (of all if none is named) into a scratch directory\n" +
			"that it makes and removes: files are compared with the source where they have not changed\n" +
			"since, databases and repositories are loaded into throw-away ones. It needs a secret key:\n" +
			"where the host has none, as it should be, run it on the administrator's machine.",
		Flags: append([]urfave.Flag{
			atFlag(),
			&urfave.BoolFlag{Name: "turn", Usage: "not the newest backup, but one that turns from day to day through all that are kept"},
			&urfave.StringFlag{Name: "dir", Usage: "make the scratch directory in `DIR`; default: where temporary files go", TakesFile: true},
			ownerFlag(), hostFlag(), unsignedFlag(), acceptFlag(), jsonFlag(),
		}, keyFlags()...),
	})
}

// drilled is a line of what a drill prints. It is part of the interface (--json).
type drilled struct {
	Job      string   `json:"job"`
	State    string   `json:"state"` // ok, WRONG or FAILED
	Archive  string   `json:"archive,omitempty"`
	Date     string   `json:"date,omitempty"`
	Proved   string   `json:"proved,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Wrong    []string `json:"wrong,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Fetched  int64    `json:"fetched_bytes"`
	Restored int64    `json:"restored_bytes"`
	Seconds  float64  `json:"seconds"`

	err error
}

func drillJobs(c *urfave.Context, e *call, configs []*config.Config) error {
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.Close()
	at, err := momentOf(c, "turn")
	if err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	// That nobody listens any more must not leave what was restored behind.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	d := &drill.Drill{Find: e.finder(), Host: e.host.Source(), From: unpack.Reader{Kit: e.host.Kit, Key: key, Log: e.log}, Who: choiceOf(c),
		Dir: c.String("dir"), Now: e.host.Now, AcceptPlain: c.Bool("accept-unencrypted")}
	d.Choose = func(a catalog.Archives) (catalog.RecoveryPoint, error) { return a.At(at) }
	if c.Bool("turn") {
		d.Choose = func(a catalog.Archives) (catalog.RecoveryPoint, error) { return a.Turn(e.day.Today) }
	}
	var lines []drilled
	for _, t := range wanted {
		if c.Context.Err() != nil {
			return context.Cause(c.Context)
		}
		r, err := d.Job(c.Context, t)
		line := newDrilled(t.Name, r, err)
		if err != nil && c.Context.Err() != nil {
			return err
		}
		lines = append(lines, line)
		if err := e.printDrilled(c.Bool("json"), line); err != nil {
			return err
		}
	}
	if !c.Bool("json") {
		if err := e.printRecovery(lines); err != nil {
			return err
		}
	}
	return drillEnding(lines)
}

func newDrilled(job string, r drill.Report, err error) drilled {
	line := drilled{Job: job, State: "ok", Notes: r.Notes, Wrong: r.Wrong, Proved: r.Proved, Fetched: r.Fetched, Restored: r.Restored,
		Seconds: r.Took.Seconds(), err: err}
	if r.Point.Run != "" {
		line.Archive, line.Date = r.Point.Name+":"+r.Point.Run, r.Point.Date()
	}
	switch {
	case err != nil:
		line.State, line.Reason = "FAILED", cli.FirstLine(err.Error())
	case len(r.Wrong) > 0:
		line.State, line.Reason = "WRONG", r.Wrong[0]
	}
	return line
}

func (e *call) printDrilled(asJSON bool, l drilled) error {
	if asJSON {
		if l.err != nil {
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("job %q: %w", l.Job, l.err))
		}
		return cli.PrintJSON(e.std.Out, []drilled{l})
	}
	text := fmt.Sprintf("%-6s %s", l.State, cli.Safe(l.Job))
	if l.Date != "" {
		text += " as of " + cli.Safe(l.Date)
	}
	if l.Proved != "" {
		text += ": " + cli.Safe(l.Proved)
	}
	if l.err == nil {
		text += fmt.Sprintf(" (%s fetched, %s restored, %s)", cli.FormatSize(l.Fetched), cli.FormatSize(l.Restored), seconds(l.Seconds))
	}
	if err := cli.Printf(e.std.Out, "%s\n", text); err != nil {
		return err
	}
	for _, n := range l.Notes {
		if err := cli.Printf(e.std.Out, "       %s\n", cli.Safe(n)); err != nil {
			return err
		}
	}
	for _, w := range l.Wrong {
		if err := cli.Printf(e.std.Out, "       WRONG: %s\n", cli.Safe(w)); err != nil {
			return err
		}
	}
	if l.err != nil {
		cli.PrintError(e.std.Err, "napback", fmt.Errorf("job %q: %w", l.Job, l.err))
	}
	return nil
}

func seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	if d < time.Second {
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// printRecovery tells what a recovery of all that was drilled would take.
func (e *call) printRecovery(lines []drilled) error {
	var fetched, restored int64
	took, good := 0.0, 0
	for _, l := range lines {
		if l.err == nil {
			fetched, restored, took, good = fetched+l.Fetched, restored+l.Restored, took+l.Seconds, good+1
		}
	}
	if good == 0 {
		return nil
	}
	return cli.Printf(e.std.Out, "To recover %s on a machine like this one takes about %s: %s to fetch, %s to restore.\n",
		cli.Plural(good, "job", "jobs"), seconds(took), cli.FormatSize(fetched), cli.FormatSize(restored))
}

// drillEnding is the exit status: of the worst.
func drillEnding(lines []drilled) error {
	code := 0
	for _, l := range lines {
		switch {
		case l.err != nil && code != cli.Integrity:
			code = cli.ExitStatus(l.err)
		case len(l.Wrong) > 0:
			code = cli.Integrity
		}
	}
	if code == 0 {
		return nil
	}
	return cli.Exit(code)
}
