package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"napback/internal/cli"
	"napback/internal/slot"
)

// jobOptions name jobs of a configuration, whose schedules napback knows.
type jobOptions struct {
	Config []string `short:"c" sep:"none" placeholder:"FILE" help:"Take the schedule from a configuration of napback; repeatable."`
	Jobs   []string `arg:"" optional:"" name:"job" help:"Jobs of it, by archive name or source (all)."`
}

// scheduled is a line of napback's answer.
type scheduled struct {
	Job    string       `json:"job"`
	Source string       `json:"source"`
	Simple *slot.Simple `json:"simple"`
	Hanoi  *slot.Hanoi  `json:"hanoi"`
}

// subjects asks napback for the schedules of jobs. What is wrong napback has said
// by itself.
func (o jobOptions) subjects(ctx context.Context, std cli.Streams) ([]subject, error) {
	if len(o.Config) == 0 {
		return nil, cli.WithHint(cli.UsageErrorf("plan and kept want simple or hanoi, or -c FILE for the jobs of a configuration"), "slotcalc -h lists the options")
	}
	program, err := napback()
	if err != nil {
		return nil, cli.WithHint(err, "slotcalc simple and slotcalc hanoi need no configuration")
	}
	var args []string
	for _, file := range o.Config {
		args = append(args, "-c", file)
	}
	args = append(append(args, "schedules", "--"), o.Jobs...)
	answer := bytes.Buffer{}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &answer, std.Err
	err = cmd.Run()
	var status *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &status) && status.ExitCode() > 0:
		return nil, cli.Exit(status.ExitCode())
	case err != nil:
		return nil, fmt.Errorf("run %q: %w", program, err)
	}
	all, err := readScheduled(answer.Bytes())
	if err != nil {
		return nil, cli.WithHint(fmt.Errorf("what %q answers: %w", program, err), "are slotcalc and napback of one version?")
	}
	return all, nil
}

func readScheduled(answer []byte) ([]subject, error) {
	var all []subject
	for line := range bytes.Lines(answer) {
		var s scheduled
		if err := json.Unmarshal(line, &s); err != nil {
			return nil, err
		}
		var schedule slot.Schedule
		switch {
		case s.Simple != nil:
			schedule = *s.Simple
		case s.Hanoi != nil:
			schedule = *s.Hanoi
		default:
			return nil, fmt.Errorf("job %q has no schedule", s.Job)
		}
		if err := schedule.Validate(); err != nil {
			return nil, fmt.Errorf("job %q: %w", s.Job, err)
		}
		title := fmt.Sprintf("%s (%s): %s", cli.Safe(s.Job), cli.Safe(s.Source), slot.Describe(schedule))
		all = append(all, subject{job: s.Job, title: title, schedule: schedule})
	}
	return all, nil
}

// napback finds the sibling program: beside slotcalc's own binary, then in PATH.
func napback() (string, error) {
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), "napback"+filepath.Ext(own))
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	return exec.LookPath("napback")
}
