package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
)

// options is the command line. The kind of schedule is always its last word, so
// that the same options follow for every question.
type options struct {
	Simple command[simpleOptions, struct{}] `cmd:"" help:"Print the slot and type of a rotation of FULLs and DIFFs, if a backup is due."`
	Hanoi  command[hanoiOptions, struct{}]  `cmd:"" help:"Print the slot and type of a Towers of Hanoi rotation, if a backup is due."`
	Plan   struct {
		Simple command[simpleOptions, planOptions] `cmd:"" help:"Print the coming days of a rotation of FULLs and DIFFs."`
		Hanoi  command[hanoiOptions, planOptions]  `cmd:"" help:"Print the coming days of a Towers of Hanoi rotation."`
		Job    command[jobOptions, planOptions]    `cmd:"" default:"withargs" help:"Print the coming days of jobs of a napback configuration. The word job may be left out; plan simple and plan hanoi take a schedule instead."`
	} `cmd:"" help:"Print the coming days of a rotation, one a line or as a calendar."`
	Kept struct {
		Simple command[simpleOptions, keptOptions] `cmd:"" help:"Print what a rotation of FULLs and DIFFs keeps, and which of it restores."`
		Hanoi  command[hanoiOptions, keptOptions]  `cmd:"" help:"Print what a Towers of Hanoi rotation keeps."`
		Job    command[jobOptions, keptOptions]    `cmd:"" default:"withargs" help:"Print what jobs of a napback configuration keep. The word job may be left out; kept simple and kept hanoi take a schedule instead."`
	} `cmd:"" help:"Print what a rotation keeps, and which of it restores."`
}

type simpleOptions struct {
	Frequency int      `default:"1" placeholder:"DAYS" help:"Days from one backup to the next (${default})."`
	Phase     *int     `placeholder:"DAYS" help:"Days by which backups, and FULLs, come earlier (0)."`
	FullOn    *weekday `placeholder:"WEEKDAY" help:"Make the FULLs on this day of the week, instead of --phase."`
	Diffs     *int     `placeholder:"N" help:"DIFFs after each FULL (6, or 0 if --fulls is given)."`
	Fulls     *int     `placeholder:"N" help:"FULLs that are kept, each with its DIFFs (4)."`
}

func (o simpleOptions) schedule() (slot.Schedule, error) {
	given := slot.Given{Frequency: o.Frequency, FullOn: (*time.Weekday)(o.FullOn), Diffs: o.Diffs, Fulls: o.Fulls}
	if o.Phase != nil {
		if o.FullOn != nil {
			return nil, errors.New("full-on and --phase exclude each other: a weekday is a phase")
		}
		given.Phase = *o.Phase
	}
	return given.Simple()
}

// weekday is a day of the week on the command line.
type weekday time.Weekday

// UnmarshalText is slot.ParseWeekday.
func (w *weekday) UnmarshalText(text []byte) error {
	day, err := slot.ParseWeekday(string(text))
	*w = weekday(day)
	return err
}

type hanoiOptions struct {
	Frequency         int  `default:"1" placeholder:"DAYS" help:"Days from one backup to the next (${default})."`
	Discs             int  `default:"5" placeholder:"K" help:"Slots, 1 to 30 (${default})."`
	ArchiveOldestDisc bool `help:"Retire the oldest disc of each cycle for ever, and put a fresh one in its place."`
}

func (o hanoiOptions) schedule() (slot.Schedule, error) {
	h := slot.Hanoi{Frequency: o.Frequency, Discs: o.Discs, ArchiveOldest: o.ArchiveOldestDisc}
	return h, h.Validate()
}

// common are the options of every command.
type common struct {
	Date *slot.Date `placeholder:"YYYY-MM-DD" help:"The day that is meant (today)."`
	JSON bool       `name:"json" help:"Print JSON."`

	chosen bool
}

// AfterApply is called by kong for the command that was given.
func (c *common) AfterApply() error {
	c.chosen = true
	return nil
}

type planOptions struct {
	Days     int64 `default:"30" placeholder:"N" help:"Days to print, the first one being the date (${default})."`
	Calendar bool  `help:"Print the months of these days as calendars."`
}

type keptOptions struct {
	Days *int64 `placeholder:"N" help:"Days of history, the last one being the date (enough to have used every slot)."`
}

// command is the command line of a question about one kind of schedule.
type command[Schedule, Question any] struct {
	Kind   Schedule `embed:""`
	Own    Question `embed:""`
	common `embed:""`
}

// question is what a command line asks: answer prints it for each of the
// subjects.
type question struct {
	common
	subjects func(context.Context, cli.Streams) ([]subject, error)
	answer   func(q query, std cli.Streams) error
}

// subject is what a question is about.
type subject struct {
	job      string // of a configuration, else ""
	title    string // of a job, for people
	schedule slot.Schedule
}

// query is a question about one subject that has been checked.
type query struct {
	subject
	date slot.Date
	json bool
}

// question finds the command that was given.
func (o *options) question() question {
	for _, q := range []question{
		{o.Simple.common, only(o.Simple.Kind.schedule), printSlot},
		{o.Hanoi.common, only(o.Hanoi.Kind.schedule), printSlot},
		{o.Plan.Simple.common, only(o.Plan.Simple.Kind.schedule), o.Plan.Simple.Own.print},
		{o.Plan.Hanoi.common, only(o.Plan.Hanoi.Kind.schedule), o.Plan.Hanoi.Own.print},
		{o.Plan.Job.common, o.Plan.Job.Kind.subjects, o.Plan.Job.Own.print},
		{o.Kept.Simple.common, only(o.Kept.Simple.Kind.schedule), o.Kept.Simple.Own.print},
		{o.Kept.Hanoi.common, only(o.Kept.Hanoi.Kind.schedule), o.Kept.Hanoi.Own.print},
		{o.Kept.Job.common, o.Kept.Job.Kind.subjects, o.Kept.Job.Own.print},
	} {
		if q.chosen {
			return q
		}
	}
	panic("kong parsed a command line without a command")
}

// only is the subject of a command line that describes a schedule itself.
func only(schedule func() (slot.Schedule, error)) func(context.Context, cli.Streams) ([]subject, error) {
	return func(_ context.Context, std cli.Streams) ([]subject, error) {
		s, err := schedule()
		if err != nil {
			return nil, cli.WithCode(cli.Usage, asOptions(err))
		}
		log := cli.Log{Tool: "slotcalc", W: std.Err}
		for _, warning := range s.Warnings() {
			log.Warnf("--%s", warning)
		}
		return []subject{{schedule: s}}, nil
	}
}

func run(ctx context.Context, args []string, std cli.Streams) error {
	var o options
	done, err := cli.Parse(&o, args, std, cli.Describe{
		Tool:    "slotcalc",
		Purpose: "Tell which slot of a backup rotation a day uses, and what the rotation keeps.",
		Example: `place=$(slotcalc hanoi) && s3put "mybackups:home-${place% *}-${place#* }" -- tar -c /home`,
	})
	if done || err != nil {
		return err
	}
	q := o.question()
	date := slot.Today(time.Now())
	if q.Date != nil {
		date = *q.Date
	}
	subjects, err := q.subjects(ctx, std)
	if err != nil {
		return err
	}
	for i, s := range subjects {
		if s.job != "" && !q.JSON {
			if err := printTitle(std.Out, i, s.title); err != nil {
				return err
			}
		}
		if err := q.answer(query{s, date, q.JSON}, std); err != nil {
			return err
		}
	}
	return nil
}

// printTitle stands above the answer for one of several jobs.
func printTitle(w io.Writer, i int, title string) error {
	if i > 0 {
		title = "\n" + title
	}
	return cli.Printf(w, "%s\n", title)
}

// asOptions writes the names of a schedule's numbers as the options they are.
func asOptions(err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("--%w", err)
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, fmt.Errorf("--%w", e))
	}
	return errors.Join(all...)
}
