package main

import (
	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/config"
)

// schedulesCommand answers slotcalc, which knows no configuration. It is hidden:
// what it prints is for that program alone.
func schedulesCommand(std cli.Streams) *urfave.Command {
	return command(std, schedules, &urfave.Command{
		Name:      "schedules",
		Usage:     "print the schedules of jobs for slotcalc, one JSON object a line",
		ArgsUsage: "[JOB...]",
		Hidden:    true,
	})
}

// scheduled is a job's schedule; one of the two is set.
type scheduled struct {
	Job    string       `json:"job"`
	Source string       `json:"source"`
	Simple *slot.Simple `json:"simple,omitempty"`
	Hanoi  *slot.Hanoi  `json:"hanoi,omitempty"`
}

func schedules(c *urfave.Context, e *call, configs []*config.Config) error {
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	var lines []scheduled
	for _, t := range wanted {
		if t.Job == nil {
			return cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule", t.Name)
		}
		line := scheduled{Job: t.Name, Source: t.Job.String()}
		switch s := t.Job.Settings.Schedule.(type) {
		case slot.Simple:
			line.Simple = &s
		case slot.Hanoi:
			line.Hanoi = &s
		}
		lines = append(lines, line)
	}
	return cli.PrintJSON(e.std.Out, lines)
}
