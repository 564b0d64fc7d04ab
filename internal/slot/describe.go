package slot

import (
	"fmt"
	"strings"
)

// Describe tells of a schedule in a few words.
func Describe(s Schedule) string {
	switch s := s.(type) {
	case Simple:
		return s.describe()
	case Hanoi:
		text := fmt.Sprintf("Towers of Hanoi, a FULL every %s, %s", days(int64(s.Frequency)), count(s.Discs, "disc"))
		if s.ArchiveOldest {
			text += ", the oldest archived"
		}
		return text
	}
	return fmt.Sprintf("%+v", s)
}

func (s Simple) describe() string {
	var text strings.Builder
	fmt.Fprintf(&text, "a FULL every %s", days(s.round()))
	if s.round()%daysPerWeek == 0 {
		// All FULLs fall on the weekday of one that the phase puts on or before day 0.
		fmt.Fprintf(&text, " on a %s", Date{-int64(s.Phase)}.Weekday())
	}
	if s.Diffs > 0 {
		fmt.Fprintf(&text, ", %s between", count(s.Diffs, "DIFF"))
	}
	fmt.Fprintf(&text, ", %s kept", count(s.Fulls, "FULL"))
	return text.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
