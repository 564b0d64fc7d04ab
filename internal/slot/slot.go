package slot

import (
	"errors"
	"fmt"
)

// Type says what a backup holds.
type Type string

const (
	Full Type = "FULL" // everything
	Diff Type = "DIFF" // what changed since the backup of the turn before
)

// Slot is what a schedule says of one turn.
type Slot struct {
	// Number is the slot that the backup goes to, in place of what it held.
	// What others build on stays until they go.
	Number int64
	// Type is what the schedule asks for.
	Type Type
	// Turn numbers the due days; it grows by one from each to the next.
	Turn int64
	// Cycle numbers the rounds of the schedule. A DIFF may only build on
	// backups of its own cycle, so that a chain is no longer than a cycle.
	Cycle int64
}

// Schedule decides on slots. Its methods other than Validate may be called
// only if Validate returned nil.
type Schedule interface {
	// Validate returns all that is wrong with the schedule's numbers.
	Validate() error
	// Warnings returns what is allowed but protects less than one may expect.
	Warnings() []string
	// Slot returns the slot of d, and whether a backup is due on d. If none
	// is, the slot is zero.
	Slot(d Date) (s Slot, due bool)
	// At returns the slot of the turn that runs on d: that of the last due
	// day that is not after d.
	At(d Date) Slot
	// Span returns the number of days after which every slot has been used.
	Span() int64
	// Rotates tells whether the schedule uses a slot again and again, and
	// Rotating how many such slots it has.
	Rotates(number int64) bool
	Rotating() int64
	// KeepsForEver tells whether a slot may hold what the schedule, now or as it
	// was before, has put aside for ever.
	KeepsForEver(number int64) bool
	// Reach returns how old, in days, the oldest backup that restores is:
	// at least and at most, on any day after its backup (if due) is made,
	// once every slot has been used. A chain stays until the slot of its
	// last backup is used again. Retired discs are not counted.
	Reach() (least, most int64)
}

var (
	_ Schedule = Simple{}
	_ Schedule = Hanoi{}
)

// The limits are far above any use and keep every product within an int64.
const (
	maxFrequency = 1_000_000 // days
	maxSlots     = 1_000_000
	maxDiscs     = 30
)

// Simple keeps Fulls cycles of a FULL and Diffs DIFFs each. The usual values
// are DefaultSimple's.
type Simple struct {
	Frequency int // days from one backup to the next
	Phase     int // shifts the due days, and the FULLs with them: this many days earlier
	Diffs     int // DIFFs after each FULL
	Fulls     int // FULLs that are kept, each with its DIFFs
}

// DefaultSimple returns the schedule that holds unless told otherwise: daily,
// four weeks of one FULL and six DIFFs.
func DefaultSimple() Simple { return Simple{Frequency: 1, Phase: 0, Diffs: 6, Fulls: 4} }

// Validate implements Schedule.
func (s Simple) Validate() error {
	errs := []error{
		inRange("frequency", s.Frequency, 1, maxFrequency),
		inRange("diffs", s.Diffs, 0, maxSlots-1),
		inRange("fulls", s.Fulls, 1, maxSlots),
	}
	if errors.Join(errs...) == nil {
		errs = append(errs, s.checkPhase())
	}
	err := errors.Join(errs...)
	if err == nil && s.slots() > maxSlots {
		err = fmt.Errorf("fulls %d with diffs %d: these are %d slots, want at most %d", s.Fulls, s.Diffs, s.slots(), maxSlots)
	}
	return err
}

func (s Simple) checkPhase() error {
	if s.Phase < 0 || int64(s.Phase) >= s.round() {
		most := ""
		if s.round() > 1 {
			most = fmt.Sprintf(" to %d", s.round()-1)
		}
		return fmt.Errorf("phase %d: want 0%s, as a FULL comes every %s", s.Phase, most, days(s.round()))
	}
	return nil
}

// Warnings implements Schedule.
func (s Simple) Warnings() []string {
	switch {
	case s.Fulls > 1:
		return nil
	case s.Diffs == 0:
		return []string{"fulls 1: only the newest backup is kept; 2 or more keep older ones"}
	}
	return []string{"fulls 1: once the last DIFF of a round is stored there is a single FULL, on which every backup depends;" +
		" 2 or more keep an older chain"}
}

// Slot implements Schedule.
func (s Simple) Slot(d Date) (Slot, bool) {
	if mod(d.Day()+int64(s.Phase), int64(s.Frequency)) != 0 {
		return Slot{}, false
	}
	return s.At(d), true
}

// At implements Schedule.
func (s Simple) At(d Date) Slot {
	turn := div(d.Day()+int64(s.Phase), int64(s.Frequency))
	chain := int64(s.Diffs) + 1
	slot := Slot{Number: mod(turn, s.slots()), Type: Diff, Turn: turn, Cycle: div(turn, chain)}
	if slot.Number%chain == 0 {
		slot.Type = Full
	}
	return slot
}

// Span implements Schedule.
func (s Simple) Span() int64 { return s.slots() * int64(s.Frequency) }

// Reach implements Schedule. It is least on the day of the last DIFF of a round,
// which takes the slot of the oldest chain's last one, so that this chain goes.
// Until the day before, its FULL and the DIFFs between stay although their
// slots are used again.
func (s Simple) Reach() (least, most int64) {
	return (s.slots() - 1) * int64(s.Frequency), (s.slots()+int64(s.Diffs))*int64(s.Frequency) - 1
}

// round is the number of days from one FULL to the next.
func (s Simple) round() int64 { return int64(s.Frequency) * (int64(s.Diffs) + 1) }

// slots is how many slots the schedule has.
func (s Simple) slots() int64 { return int64(s.Fulls) * (int64(s.Diffs) + 1) }

// inRange checks a number that must lie from low to high.
func inRange(name string, value, low, high int) error {
	switch {
	case value < low:
		return fmt.Errorf("%s %d: want %d or more", name, value, low)
	case value > high:
		return fmt.Errorf("%s %d: want at most %d", name, value, high)
	}
	return nil
}

// div and mod divide rounding down, so that days before 1970 fall into the
// same pattern as those after; b is positive.
func div(a, b int64) int64 { return (a - mod(a, b)) / b }

func mod(a, b int64) int64 { return (a%b + b) % b }
