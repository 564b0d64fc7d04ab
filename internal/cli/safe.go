package cli

import (
	"bytes"
	"fmt"
	"io"
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
		if r == utf8.RuneError || obeyed(r) {
			return '?'
		}
		return r
	}, text)
}

// obeyed tells a character that a terminal does something for, instead of
// showing it.
func obeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// safeLine is Safe for what we say ourselves, perhaps in several lines, as
// errors that were joined do.
func safeLine(text string) string {
	return Safe(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; "))
}

// SafeJSON returns a writer for a json.Encoder, which it gives to w. The encoder
// itself escapes C0 only; here all that Safe replaces is escaped, so
// that no value changes and a terminal can show it. Each Write is a whole value.
func SafeJSON(w io.Writer) io.Writer { return safeJSON{w} }

type safeJSON struct{ w io.Writer }

func (s safeJSON) Write(p []byte) (int, error) {
	var b bytes.Buffer
	for _, r := range string(p) {
		if r != '\n' && obeyed(r) { // they stand in strings only, but for the encoder's own line ends
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	if _, err := s.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// FirstLine returns text up to its first line end.
func FirstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// Shorten cuts what is longer than most bytes off, and says so by dots.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// Plural writes a number of things.
func Plural[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
