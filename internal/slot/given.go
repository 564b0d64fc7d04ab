package slot

import (
	"fmt"
	"strings"
	"time"
)

// Given is what somebody says of a Simple, who may leave out most of it.
type Given struct {
	Frequency int // days, 1 or more
	Phase     int
	// FullOn is the weekday of the FULLs, instead of Phase; nil: as Phase has it.
	FullOn *time.Weekday
	Diffs  *int // nil: see Simple
	Fulls  *int // nil: as DefaultSimple has it
}

// Simple returns the schedule that is meant, checked. Who says how many FULLs are
// kept and does not speak of DIFFs wants a FULL each time.
func (g Given) Simple() (Simple, error) {
	s := DefaultSimple()
	s.Frequency, s.Phase = g.Frequency, g.Phase
	if g.Fulls != nil {
		s.Fulls, s.Diffs = *g.Fulls, 0
	}
	if g.Diffs != nil {
		s.Diffs = *g.Diffs
	}
	if g.FullOn != nil {
		s.Phase = 0
	}
	if err := s.Validate(); err != nil || g.FullOn == nil {
		return s, err
	}
	phase, err := s.phaseOf(*g.FullOn)
	s.Phase = phase
	return s, err
}

// OnlyFulls tells that each backup is a FULL because nothing was said of DIFFs.
func (g Given) OnlyFulls() bool { return g.Fulls != nil && g.Diffs == nil }

const daysPerWeek = 7

// phaseOf returns the smallest phase with which every FULL falls on a weekday.
func (s Simple) phaseOf(day time.Weekday) (int, error) {
	if s.round()%daysPerWeek != 0 {
		return 0, fmt.Errorf("full-on %s: a FULL comes every %s (frequency %d, diffs %d), which falls on the same weekday only if the days are a multiple of 7",
			strings.ToLower(day.String()), days(s.round()), s.Frequency, s.Diffs)
	}
	// FULLs are on the days d with (d+P) mod (F*(D+1)) = 0.
	first := mod(int64(day-Date{}.Weekday()), daysPerWeek)
	return int(mod(-first, daysPerWeek)), nil
}

func days(n int64) string {
	if n == 1 {
		return "day"
	}
	return fmt.Sprintf("%d days", n)
}

// WithoutDiffs is the schedule for what has no DIFFs: each turn is a FULL. The due
// days stay.
func (s Simple) WithoutDiffs() Simple {
	s.Diffs = 0
	if s.Frequency >= 1 { // else it is wrong, and stays so
		s.Phase = int(mod(int64(s.Phase), int64(s.Frequency)))
	}
	return s
}

// ParseWeekday reads a day's English name, whole or its first three letters.
func ParseWeekday(text string) (time.Weekday, error) {
	for day := time.Sunday; day <= time.Saturday; day++ {
		if name := day.String(); strings.EqualFold(text, name) || strings.EqualFold(text, name[:3]) {
			return day, nil
		}
	}
	return 0, fmt.Errorf("want a weekday, monday to sunday")
}
