package logging

import (
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// The beginning of a line of text is written here, because slog's TextHandler
// writes key=value only. It writes what comes after the message.

// stampOf is how a line of text begins where its destination notes neither time
// nor level itself.
func stampOf(r slog.Record) string {
	text := r.Level.String() + " "
	if !r.Time.IsZero() {
		text = r.Time.Format(time.RFC3339) + " " + text
	}
	return text
}

// word quotes a value that would not read as one word.
func word(value string) string {
	if printable(value) == value && !strings.ContainsAny(value, ` "=`) {
		return value
	}
	return strconv.Quote(value)
}

// unescape takes back what strconv.Quote does for the sake of its quotes.
var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`)

// printable escapes what a terminal would not print as itself.
func printable(text string) string {
	quoted := strconv.Quote(text)
	return unescape.Replace(quoted[1 : len(quoted)-1])
}
