package main

import (
	"fmt"
	"io"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/standing"
)

func listCommand(std cli.Streams) *urfave.Command {
	return command(std, list, &urfave.Command{
		Name:        "list",
		Usage:       "list what can be restored",
		ArgsUsage:   "[JOB...]",
		Description: "Lists the archives of the jobs, of all if none is named, oldest first.",
		Flags:       []urfave.Flag{ownerFlag(), hostFlag(), unsignedFlag(), jsonFlag()},
	})
}

// listed is a line of the list. It is part of the interface (--json).
type listed struct {
	Job       string     `json:"job"`
	Source    string     `json:"source"`
	Host      string     `json:"host"`
	Owner     string     `json:"owner,omitempty"`
	Date      string     `json:"date"`      // local, of the backup
	Committed *time.Time `json:"committed"` // UTC
	Type      string     `json:"type"`
	Slot      string     `json:"slot"`
	Name      string     `json:"name"`
	Run       string     `json:"run"`
	State     string     `json:"state"`
	Bytes     int64      `json:"bytes"`
	// ChainBytes is what a restore of this archive has to read.
	ChainBytes int64    `json:"chain_bytes"`
	Chain      []string `json:"chain,omitempty"` // runs, oldest first
	Restorable bool     `json:"restorable"`
	Reason     string   `json:"reason,omitempty"` // why not
	Warnings   string   `json:"warnings,omitempty"`
}

func list(c *urfave.Context, e *call, configs []*config.Config) error {
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	var lines []listed
	for _, t := range wanted {
		a, _, err := e.finder().Archives(c.Context, t, choiceOf(c))
		if err != nil {
			return err
		}
		points := a.Points()
		for _, p := range points {
			lines = append(lines, newListed(p))
		}
		var newest catalog.RecoveryPoint
		if len(points) > 0 {
			newest = catalog.Newest(points)
		}
		e.finder().Warn(t, a, newest)
	}
	for _, old := range e.finder().Old(c.Context, wanted) {
		for _, line := range tellOld(old) {
			e.log.Notef("%s", cli.Safe(line))
		}
	}
	if c.Bool("json") {
		return cli.PrintJSON(e.std.Out, lines)
	}
	return printList(e.std.Out, lines, e.host.Now())
}

// tellOld says what s3napback has stored of a job's source, and how to read it: napback
// does not.
func tellOld(old jobs.Old) []string {
	read := "to read one: "
	if old.Job.Kind.Tree {
		read = "to restore the newest, see napback-migrate(7): "
	}
	return []string{
		fmt.Sprintf("job %q: bucket %q has %s of it that s3napback stored, as %q",
			old.Name, old.Settings.Bucket, cli.Plural(len(old.Names), "archive", "archives"), old.Names[0]),
		"to see of when they are: " + old.List(),
		read + old.Read(),
	}
}

func newListed(p catalog.RecoveryPoint) listed {
	l := listed{
		Job: p.Job(), Source: p.Source(), Host: p.Host, Owner: p.Owner, Date: p.Date(), Type: string(p.Type()), Slot: p.Slot(), Name: p.Name, Run: p.Run,
		State: p.State, Bytes: p.Bytes, Restorable: p.Broken == nil, Warnings: p.Warnings(),
	}
	if !p.Committed.IsZero() {
		t := p.Committed.UTC()
		l.Committed = &t
	}
	if p.Broken != nil {
		l.Reason = p.Broken.Error()
	}
	for _, link := range p.Chain {
		l.Chain = append(l.Chain, link.Run)
		l.ChainBytes += link.Bytes
	}
	return l
}

func printList(w io.Writer, lines []listed, now time.Time) error {
	var rows [][]string
	if len(lines) > 0 {
		rows = append(rows, []string{"JOB", "DATE", "TYPE", "SLOT", "SIZE", "TO READ", "AGE", "STATE"})
	}
	for _, l := range lines {
		state := "restorable"
		switch {
		case !l.Restorable:
			state = "NOT RESTORABLE: " + l.Reason
		case l.State == catalog.Superseded:
			state = "restorable, superseded"
		}
		if l.Warnings != "" {
			state += ", with warnings"
		}
		read, old := "-", "-"
		if l.Restorable {
			read = cli.FormatSize(l.ChainBytes)
		}
		if l.Committed != nil {
			old = standing.Age(now.Sub(*l.Committed))
		}
		rows = append(rows, []string{l.Job, l.Date, l.Type, l.Slot, cli.FormatSize(l.Bytes), read, old, state})
	}
	return cli.PrintTable(w, rows)
}
