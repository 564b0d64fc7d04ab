package main

import (
	"bufio"
	"fmt"
	"io"

	"napback/internal/cli"
	"napback/internal/slot"
)

// maxDays bounds how many days are printed, or imagined to have had backups.
const maxDays = 1_000_000

// day is one day of a schedule in JSON.
type day struct {
	Job  string    `json:"job,omitempty"`
	Date slot.Date `json:"date"`
	Due  bool      `json:"due"`
	*turn
}

// turn is what the schedule says of a day that is due.
type turn struct {
	Slot  int64     `json:"slot"`
	Type  slot.Type `json:"type"`
	Turn  int64     `json:"turn"`
	Cycle int64     `json:"cycle"`
}

func (q query) day(date slot.Date) day {
	s, due := q.schedule.Slot(date)
	if !due {
		return day{Job: q.job, Date: date}
	}
	return day{q.job, date, true, &turn{s.Number, s.Type, s.Turn, s.Cycle}}
}

// printSlot answers whether a backup is due: with its slot and type, or with
// nothing and exit status 1.
func printSlot(q query, std cli.Streams) error {
	d := q.day(q.date)
	if !d.Due {
		return cli.Exit(cli.Failed)
	}
	if q.json {
		return cli.PrintJSON(std.Out, []day{d})
	}
	return cli.Printf(std.Out, "%d %s\n", d.Slot, d.Type)
}

// print prints one line a day, from the date on, or their months.
func (o planOptions) print(q query, std cli.Streams) error {
	if err := checkDays(o.Days); err != nil {
		return err
	}
	if q.date.AddDays(o.Days-1).Sub(slot.LastDate()) > 0 {
		return cli.UsageErrorf("--days %d: the last of these days would be after %v", o.Days, slot.LastDate())
	}
	if o.Calendar && q.json {
		return cli.UsageErrorf("--calendar and --json exclude each other: a calendar is for people")
	}
	if o.Calendar {
		return q.calendar(std.Out, q.date, q.date.AddDays(o.Days-1))
	}
	out := bufio.NewWriter(std.Out)
	for n := range o.Days {
		if err := q.printDay(out, q.date.AddDays(n)); err != nil {
			return err
		}
	}
	return flush(out)
}

// printDay keeps the three columns on days that are not due, so that a shell
// can read every line the same way.
func (q query) printDay(out io.Writer, date slot.Date) error {
	d := q.day(date)
	switch {
	case q.json:
		return cli.PrintJSON(out, []day{d})
	case !d.Due:
		return cli.Printf(out, "%v - -\n", d.Date)
	}
	return cli.Printf(out, "%v %d %s\n", d.Date, d.Slot, d.Type)
}

func checkDays(days int64) error {
	if days < 1 || days > maxDays {
		return cli.UsageErrorf("--days %d: want 1 to %d", days, maxDays)
	}
	return nil
}

// flush writes out what is buffered, and tells of all that could not be written.
func flush(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}
