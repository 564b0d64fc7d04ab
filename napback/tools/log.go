package tools

import "strings"

// Log is where it is told how things go.
type Log interface {
	Warnf(format string, args ...any)
	Notef(format string, args ...any)
	Verbosef(format string, args ...any)
	Debugf(format string, args ...any)
	// Lines returns what takes the lines that stages say on stderr. forPeople, if
	// not nil, tells which are for people.
	Lines(forPeople func(stage, line string) bool) func(stage, line string)
}

// Warnings takes the lines that stages say on stderr. Only warnings are for people: the
// error of the chain says the rest.
func Warnings(log Log) func(stage, line string) {
	return log.Lines(func(stage, line string) bool {
		return strings.HasPrefix(strings.TrimPrefix(line, stage+": "), "warning: ")
	})
}
