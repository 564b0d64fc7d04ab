package cli

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Safe makes foreign text (a name in a bucket, a line of another program, a
// user id) fit for one line of a terminal or of a log. What could move the
// cursor, end the line or turn the direction of writing becomes `?`: the
// control characters of C0 and C1, DEL, line and paragraph separators, Unicode's
// bidirectional controls (UAX #9) and bytes that are no UTF-8.
func Safe(text string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, text)
}
