package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
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

func list(c *urfave.Context, e *engine, configs []*config.Config) error {
	wanted, err := e.wantedTargets(c, configs)
	if err != nil {
		return err
	}
	var lines []listed
	for _, t := range wanted {
		a, _, err := e.archives(c.Context, t, choiceOf(c))
		if err != nil {
			return err
		}
		points := a.Points()
		for _, p := range points {
			lines = append(lines, newListed(p))
		}
		var newest catalog.Point
		if len(points) > 0 {
			newest = catalog.Newest(points)
		}
		if w := a.Warning(newest); w != "" {
			e.log.Warnf("job %q: %s", t.name, oneLine(w))
		}
	}
	if c.Bool("json") {
		return printJSON(e.std.Out, lines)
	}
	return printList(e.std.Out, lines, e.now())
}

// wantedTargets are the jobs that the command line names, or all.
func (e *engine) wantedTargets(c *urfave.Context, configs []*config.Config) ([]target, error) {
	if c.NArg() == 0 {
		return targets(configs), nil
	}
	var all []target
	for _, word := range c.Args().Slice() {
		t, err := e.findTarget(c.Context, configs, word)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(all, func(other target) bool { return other.name == t.name }) {
			all = append(all, t)
		}
	}
	return all, nil
}

func newListed(p catalog.Point) listed {
	l := listed{
		Job: p.Job(), Source: p.Source(), Host: p.Host, Owner: p.Owner, Date: p.Date(), Type: p.Type(), Slot: p.Slot(), Name: p.Name, Run: p.Run,
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

// printJSON prints one object a line.
func printJSON[T any](w io.Writer, lines []T) error {
	out := json.NewEncoder(cli.SafeJSON(w))
	out.SetEscapeHTML(false)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}

func printList(w io.Writer, lines []listed, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(lines) > 0 {
		fmt.Fprintln(table, "JOB\tDATE\tTYPE\tSLOT\tSIZE\tTO READ\tAGE\tSTATE")
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
			old = age(now.Sub(*l.Committed))
		}
		fmt.Fprintln(table, strings.Join([]string{oneLine(l.Job), oneLine(l.Date), oneLine(l.Type), oneLine(l.Slot),
			cli.FormatSize(l.Bytes), read, old, oneLine(state)}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// age writes a time span for people: in minutes, hours or days.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0m"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}
