package page

import (
	"fmt"
	"slices"
	"time"
	"unicode"

	"napback/internal/cli"
	"napback/internal/slot"
)

// How much of a text is shown, in characters.
const (
	maxName   = 120
	maxReason = 500
	maxWord   = 24 // what should be a date, a type or a number
	maxMarks  = 4  // one after the other, above and below a letter
)

// short makes foreign text safe for one line of at most so many characters. What is
// longer loses its middle, since paths differ at both ends.
func short(text string, most int) string {
	// Before anything walks through it: four bytes are the most that one takes.
	if limit := 8 * most; len(text) > limit {
		text = text[:limit/2] + "\u2026" + text[len(text)-limit/2:]
	}
	all := withoutTowers([]rune(cli.Safe(text)))
	if len(all) <= most {
		return string(all)
	}
	end := most / 3
	return string(all[:most-end-1]) + "\u2026" + string(all[len(all)-end:])
}

// withoutTowers leaves out marks that are piled up on a letter: no line can be broken
// between them, and they would cover what stands above.
func withoutTowers(text []rune) []rune {
	n := 0
	return slices.DeleteFunc(text, func(r rune) bool {
		if n++; !unicode.Is(unicode.M, r) {
			n = 0
		}
		return n > maxMarks
	})
}

// since writes how long ago something was.
func since(d time.Duration) string {
	switch {
	case d < 0:
		return "in the future"
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return cli.Plural(int(d/time.Minute), "minute", "minutes") + " ago"
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours ago", int(d/time.Hour))
	}
	return fmt.Sprintf("%d days ago", int(d/(24*time.Hour)))
}

// moment writes a time in the page's zone, and how long ago it was.
func (p Page) moment(t time.Time) string {
	return since(p.At.Sub(t)) + ", " + t.In(p.At.Location()).Format("2006-01-02 15:04")
}

// day writes a date as it lies from today, as in "tomorrow, 2026-11-23".
func day(text string, today slot.Date) string {
	d, err := slot.ParseDate(text)
	if err != nil {
		return short(text, maxWord)
	}
	switch n := d.Sub(today); {
	case n == 0:
		return "today"
	case n == 1:
		return "tomorrow, " + text
	case n == -1:
		return "yesterday, " + text
	case n > 1:
		return fmt.Sprintf("in %d days, %s", n, text)
	default:
		return fmt.Sprintf("%d days ago, %s", -n, text)
	}
}

// brief writes a date for the axis.
func brief(d slot.Date) string {
	return time.Unix(d.Day()*24*60*60, 0).UTC().Format("2 Jan")
}
