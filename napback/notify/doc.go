// Package notify tells people how a run went: by mail, and by calling a URL as
// monitoring services such as healthchecks.io expect it.
//
// Neither can fail a backup nor hold one up for long: everything has a limit in
// time, and an error is for the caller to log, not to act on. What is sent goes
// through the caller's Redact first, so that no secret leaves in a message.
package notify

import (
	"strings"

	"napback/internal/cli"
)

// Verdict is how a run, or one job of it, ended.
type Verdict int

// The verdicts, from good to bad.
const (
	OK Verdict = iota
	Warnings
	Failed
)

// String is the verdict as the subject of a mail has it.
func (v Verdict) String() string {
	switch v {
	case OK:
		return "ok"
	case Warnings:
		return "warnings"
	}
	return "FAILED"
}

// Due tells whether a run with this verdict is to be mailed about, where on is
// the value of MailOn: failure, warning or always. Anything else is taken as
// always: a message too many is better than one too few.
func Due(on string, v Verdict) bool {
	switch on {
	case "failure":
		return v >= Failed
	case "warning":
		return v >= Warnings
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
