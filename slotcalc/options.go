package main

import (
	"context"
	"errors"
	"fmt"
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
		Simple command[simpleOptions, planOptions] `cmd:"" help:"Print the coming days of a rotation of FULLs and DIFFs, one a line."`
		Hanoi  command[hanoiOptions, planOptions]  `cmd:"" help:"Print the coming days of a Towers of Hanoi rotation, one a line."`
	} `cmd:"" help:"Print the coming days of a rotation, one a line."`
	Kept struct {
		Simple command[simpleOptions, keptOptions] `cmd:"" help:"Print what a rotation of FULLs and DIFFs keeps, and which of it restores."`
		Hanoi  command[hanoiOptions, keptOptions]  `cmd:"" help:"Print what a Towers of Hanoi rotation keeps."`
	} `cmd:"" help:"Print what a rotation keeps, and which of it restores."`
}

type simpleOptions struct {
	Frequency int `default:"1" placeholder:"DAYS" help:"Days from one backup to the next (${default})."`
	Phase     int `default:"0" placeholder:"DAYS" help:"Days by which the due days come earlier, less than the frequency (${default})."`
	Diffs     int `default:"6" placeholder:"N" help:"DIFFs after each FULL (${default})."`
	Fulls     int `default:"4" placeholder:"N" help:"FULLs that are kept, each with its DIFFs (${default})."`
}

func (o simpleOptions) schedule() slot.Schedule {
	return slot.Simple{Frequency: o.Frequency, Phase: o.Phase, Diffs: o.Diffs, Fulls: o.Fulls}
}

type hanoiOptions struct {
	Frequency         int  `default:"1" placeholder:"DAYS" help:"Days from one backup to the next (${default})."`
	Discs             int  `default:"5" placeholder:"K" help:"Slots, 1 to 30 (${default})."`
	ArchiveOldestDisc bool `help:"Retire the oldest disc of each cycle for ever, and put a fresh one in its place."`
}

func (o hanoiOptions) schedule() slot.Schedule {
	return slot.Hanoi{Frequency: o.Frequency, Discs: o.Discs, ArchiveOldest: o.ArchiveOldestDisc}
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
	Days int64 `default:"30" placeholder:"N" help:"Days to print, the first one being the date (${default})."`
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

// question is what a command line asks: answer prints it for schedule on date.
type question struct {
	common
	schedule slot.Schedule
	answer   func(q query, std cli.Streams) error
}

// query is a question that has been checked.
type query struct {
	schedule slot.Schedule
	date     slot.Date
	json     bool
}

// question finds the command that was given.
func (o *options) question() question {
	for _, q := range []question{
		{o.Simple.common, o.Simple.Kind.schedule(), printSlot},
		{o.Hanoi.common, o.Hanoi.Kind.schedule(), printSlot},
		{o.Plan.Simple.common, o.Plan.Simple.Kind.schedule(), o.Plan.Simple.Own.print},
		{o.Plan.Hanoi.common, o.Plan.Hanoi.Kind.schedule(), o.Plan.Hanoi.Own.print},
		{o.Kept.Simple.common, o.Kept.Simple.Kind.schedule(), o.Kept.Simple.Own.print},
		{o.Kept.Hanoi.common, o.Kept.Hanoi.Kind.schedule(), o.Kept.Hanoi.Own.print},
	} {
		if q.chosen {
			return q
		}
	}
	panic("kong parsed a command line without a command")
}

func run(_ context.Context, args []string, std cli.Streams) error {
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
	if err := q.schedule.Validate(); err != nil {
		return cli.WithCode(cli.Usage, asOptions(err))
	}
	log := cli.Log{Tool: "slotcalc", W: std.Err}
	for _, warning := range q.schedule.Warnings() {
		log.Warnf("--%s", warning)
	}
	date := slot.Today(time.Now())
	if q.Date != nil {
		date = *q.Date
	}
	return q.answer(query{q.schedule, date, q.JSON}, std)
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
