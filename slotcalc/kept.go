package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
)

// How far back the history goes by default, in spans of the schedule. After two,
// nothing is left that depends on the day it began. A rotation that retires discs
// never gets there; four show what it does.
const (
	spans         = 2
	spansRetiring = 4
)

// backup is one that was made.
type backup struct {
	date   slot.Date
	slot   slot.Slot // its Type is what was made, not what the schedule asked for
	parent *backup   // that a DIFF builds on; nil for a FULL

	replaced bool // another one has its slot
	needed   int  // how many of those that exist build on it
	gone     bool // replaced, and nothing that exists builds on it
}

// replace takes a backup's slot away. The backup goes as soon as nothing builds on
// it; then what it builds on may go too.
func (b *backup) replace() {
	b.replaced = true
	for ; b != nil && b.replaced && b.needed == 0; b = b.parent {
		b.gone = true
		if b.parent != nil {
			b.parent.needed--
		}
	}
}

// simulate makes a backup on each due day from first to last, and returns all of
// them, oldest first. It does as napback does: a slot needs one backup, its newest;
// what others build on stays until these go; and a DIFF with no FULL of its own
// cycle to build on becomes a FULL, as the first backup does where the history
// begins in the middle of a cycle.
func simulate(s slot.Schedule, first, last slot.Date) []*backup {
	var made []*backup
	var newest *backup
	held := map[int64]*backup{}
	for d := first; d.Sub(last) <= 0; d = d.AddDays(1) {
		at, due := s.Slot(d)
		if !due {
			continue
		}
		b := &backup{date: d, slot: at}
		if at.Type == slot.Diff && newest != nil {
			b.parent = newest
			newest.needed++
		} else {
			b.slot.Type = slot.Full
		}
		if old := held[at.Number]; old != nil {
			old.replace()
		}
		held[at.Number], newest = b, b
		made = append(made, b)
	}
	return made
}

// maxGap is the longest row of dots in a picture; longer ones are counted.
const maxGap = 16

// picture draws backups, oldest first, one character each: F and D, or f and d
// where another one has the slot and it stays for those that build on it. A dot is
// one that is gone, unless it is older than all that are there.
func picture(made []*backup) string {
	var out strings.Builder
	gap := 0
	for _, b := range made {
		if b.gone {
			gap++
			continue
		}
		if out.Len() > 0 {
			out.WriteString(dots(gap))
		}
		gap = 0
		letter := string(b.slot.Type[:1])
		if b.replaced {
			letter = strings.ToLower(letter)
		}
		out.WriteString(letter)
	}
	return out.String()
}

func dots(gap int) string {
	if gap > maxGap {
		return fmt.Sprintf("..%d..", gap)
	}
	return strings.Repeat(".", gap)
}

// state is what exists on a day, in JSON.
type state struct {
	Job     string     `json:"job,omitempty"`
	Date    slot.Date  `json:"date"`
	Picture string     `json:"picture"`
	Backups []survivor `json:"backups"` // oldest first
	Reach   *reach     `json:"reach,omitempty"`
}

type survivor struct {
	Date     slot.Date `json:"date"`
	Age      int64     `json:"age_days"`
	Slot     int64     `json:"slot"`
	Type     slot.Type `json:"type"`
	Restores bool      `json:"restores"` // always: what it builds on is there
	// Replaced tells that another one has its slot: it goes with those that
	// build on it.
	Replaced bool `json:"replaced"`
}

// reach is how old the oldest backup that restores is in the long run.
type reach struct {
	Least int64 `json:"least_days"`
	Most  int64 `json:"most_days"`
}

// print prints what exists on the date.
func (o keptOptions) print(q query, std cli.Streams) error {
	first := q.date.AddDays(-history(q.schedule))
	if o.Days != nil {
		if err := checkDays(*o.Days); err != nil {
			return err
		}
		first = q.date.AddDays(1 - *o.Days)
	}
	if first.Sub(slot.FirstDate()) < 0 {
		first = slot.FirstDate()
	}
	made := simulate(q.schedule, first, q.date)
	s := state{Job: q.job, Date: q.date, Picture: picture(made), Backups: []survivor{}}
	for _, b := range made {
		if !b.gone {
			s.Backups = append(s.Backups, survivor{b.date, q.date.Sub(b.date), b.slot.Number, b.slot.Type, true, b.replaced})
		}
	}
	if !retires(q.schedule) {
		least, most := q.schedule.Reach()
		s.Reach = &reach{least, most}
	}
	if q.json {
		return cli.PrintJSON(std.Out, []state{s})
	}
	return s.table(std.Out)
}

func history(s slot.Schedule) int64 {
	if retires(s) {
		return spansRetiring * s.Span()
	}
	return spans * s.Span()
}

// retires tells whether the schedule takes discs out of the rotation for ever.
func retires(s slot.Schedule) bool {
	hanoi, ok := s.(slot.Hanoi)
	return ok && hanoi.ArchiveOldest
}

// table prints the state for people.
func (s state) table(w io.Writer) error {
	if len(s.Backups) == 0 {
		return cli.Printf(w, "no backup was due yet\n")
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%-10s  %8s  %8s  %-4s  %s\n", "DATE", "AGE", "SLOT", "TYPE", "KEPT FOR")
	for _, b := range s.Backups {
		keptFor := "its slot"
		if b.Replaced {
			keptFor = "its chain"
		}
		fmt.Fprintf(out, "%-10v  %8s  %8d  %-4s  %s\n", b.Date, cli.Plural(b.Age, "day", "days"), b.Slot, b.Type, keptFor)
	}
	fmt.Fprintf(out, "\n%s\n", s.Picture)
	fmt.Fprintln(out, "oldest to newest: F full, D incremental, f d kept only for those that build on it, . gone; all restore")
	if s.Reach != nil {
		least := ""
		if s.Reach.Least < s.Reach.Most {
			least = fmt.Sprintf("%d to ", s.Reach.Least)
		}
		fmt.Fprintf(out, "in the long run the oldest that restores is %s%s old\n", least, cli.Plural(s.Reach.Most, "day", "days"))
	}
	return flush(out)
}
