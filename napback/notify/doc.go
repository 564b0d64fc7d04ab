// Package notify tells people how a run went: by mail, and by calling a URL as
// monitoring services such as healthchecks.io expect it.
//
// Each of these ways is a Channel; Kinds is the table of them. The configuration
// takes their directives from it, and a run opens what its settings ask for.
//
// No channel can fail a backup nor hold one up for long: everything has a limit
// in time, and an error is for the caller to log, not to act on. What is sent goes
// through the caller's redact first, so that no secret leaves in a message.
package notify

import (
	"strings"

	"napback/internal/cli"
)

// Report is what is told about a run, or one job of it, at its end.
type Report struct {
	Host   string
	Run    string // its id
	Ending Ending
	// Count of all Jobs ended like that.
	Count, Jobs int
	Summary     string // what people read: of a run the table of all jobs, and why some failed
	Failures    []Failure
	// Test: there is no run, somebody tries the channel.
	Test bool
	// Locked: nothing was started because another run was at work, which
	// tells about itself.
	Locked bool
}

// Failure is what a program said because of which a job failed, beside the reason that
// the summary has.
type Failure struct {
	Job   string
	Stage string   // that failed
	Lines []string // the last that it wrote on stderr
}

// Ending is how a run, or one job of it, ended.
type Ending int

// The endings, from good to bad.
const (
	OK Ending = iota
	Warnings
	Failed
)

// String is the ending as the subject of a mail has it.
func (e Ending) String() string {
	switch e {
	case OK:
		return "ok"
	case Warnings:
		return "warnings"
	}
	return "FAILED"
}

// Due tells whether a run that ended like this is to be mailed about, where on
// is the value of MailOn: failure, warning or always. Anything else is taken as
// always: a message too many is better than one too few.
func Due(on string, e Ending) bool {
	switch on {
	case "failure":
		return e >= Failed
	case "warning":
		return e >= Warnings
	}
	return true
}

// plain returns text that is safe to show: valid UTF-8 without control
// characters other than tabs and line ends.
func plain(text string) string {
	lines := strings.Split(strings.ReplaceAll(text, "\r", ""), "\n")
	for i, line := range lines {
		cells := strings.Split(line, "\t")
		for j, cell := range cells {
			cells[j] = cli.Safe(cell)
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

// head returns the beginning of text, of at most limit bytes and never half a
// character.
func head(text string, limit int) string {
	const more = "\n[cut]\n"
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(more)], "") + more
}

// masked is text as redact leaves it; nil = as it is.
func masked(redact func(string) string, text string) string {
	if redact == nil {
		return text
	}
	return redact(text)
}
