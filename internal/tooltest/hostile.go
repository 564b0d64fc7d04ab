package tooltest

import (
	"strings"
	"testing"

	"napback/internal/cli"
)

// Hostile is text that somebody who can write into a bucket, name a file or own a
// key may have chosen: it moves the cursor, clears the screen in C0 and in C1, forges a
// line, turns the direction of writing, rings and deletes.
const Hostile = "ok\x1b[2J\x1b]0;title\x07\u009b31mred\u0085\r\nnapback: all is well\t\u202egnp.exe\u2066\u200f\u2028\u2029\x7fend"

// Harmless fails the test if a terminal would obey anything in text, which
// something has printed, or if a line of it is one that Hostile has forged.
func Harmless(t testing.TB, what, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if cli.Safe(line) != line {
			t.Errorf("%s prints %q", what, line)
		}
		if strings.HasPrefix(line, "napback: all is well") {
			t.Errorf("%s prints a forged line:\n%s", what, text)
		}
	}
}
