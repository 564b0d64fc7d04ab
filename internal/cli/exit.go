// Package cli is what every tool's main shares: exit codes, the way errors and
// hints are printed, signals, versions, sizes and progress.
//
// A tool is a function run(ctx, args, streams) error. Main calls it with a
// context that ends on SIGINT, SIGTERM or SIGHUP, prints the error that it
// returns as `tool: error: ...` and `tool: hint: ...` lines on stderr, and
// maps it to an exit status in one place (ExitStatus).
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Exit codes, the same for every tool. They are part of the interface.
const (
	OK           = 0 // done
	Failed       = 1 // failed
	Usage        = 2 // bad usage or configuration; nothing was started
	Warnings     = 3 // done, with warnings: committed, but part of a source changed or could not be read
	NotFound     = 4 // not found: bucket, archive, run, recipient, job
	Integrity    = 5 // missing chunk, wrong hash, truncated, not authenticated
	NotCommitted = 6 // the producer failed or gave no commit
	Locked       = 7 // another run holds the lock
	Denied       = 8 // the store denies access: the credentials do not allow this, and nothing else went wrong
	Passphrase   = 9 // a secret key is locked, and its passphrase is missing or wrong
)

// Streams are a tool's standard streams, passed rather than global so that
// tests can call run directly.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// codeError gives an error its exit code.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

// hintError adds a line that says what the user can do next.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// silentError ends a tool with a code and prints nothing.
type silentError int

func (e silentError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// WithCode returns err with the exit code that Main ends with. The outermost
// code wins. A nil err stays nil.
func WithCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codeError{code, err}
}

// OrCode is WithCode for an error that has no code of its own yet.
func OrCode(code int, err error) error {
	if err == nil || ExitStatus(err) != Failed {
		return err
	}
	return &codeError{code, err}
}

// Errorf is fmt.Errorf with an exit code.
func Errorf(code int, format string, args ...any) error {
	return &codeError{code, fmt.Errorf(format, args...)}
}

// WithHint returns err with a hint that is printed under it: lower case, no
// full stop. A nil err stays nil.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hintError{err, fmt.Sprintf(format, args...)}
}

// Exit returns an error that ends a tool with code and prints nothing, for
// results that the exit status alone tells.
func Exit(code int) error { return silentError(code) }

// ExitStatus maps an error to the exit status of the process. It is the only
// place that does.
func ExitStatus(err error) int {
	if err == nil {
		return OK
	}
	var interrupted *signalError
	if errors.As(err, &interrupted) {
		return interrupted.status()
	}
	var silent silentError
	if errors.As(err, &silent) {
		return int(silent)
	}
	return code(err)
}

// code returns the outermost code of err, else Failed. Of several causes the
// first one with a code counts; Denied only if all of them are denials.
func code(err error) int {
	switch e := err.(type) {
	case *codeError:
		return e.code
	case interface{ Unwrap() error }:
		return code(e.Unwrap())
	case interface{ Unwrap() []error }:
		members := e.Unwrap()
		all := Denied
		if len(members) == 0 {
			all = Failed
		}
		for _, member := range members {
			switch c := code(member); c {
			case Denied:
			case Failed:
				all = Failed
			default:
				return c
			}
		}
		return all
	}
	return Failed
}

// PrintError writes err as `tool: error: ...` lines, then its hints as
// `tool: hint: ...` lines. Joined errors are printed one a line. An error may
// quote foreign text: it is made safe for a terminal (Safe).
func PrintError(w io.Writer, tool string, err error) {
	var silent silentError
	if err == nil || errors.As(err, &silent) {
		return
	}
	for _, e := range flatten(err) {
		fmt.Fprintf(w, "%s: error: %s\n", tool, safeLine(e.Error()))
	}
	printHints(w, tool, err, map[string]bool{})
}

// flatten returns the members of a joined error, wherever codes and hints
// wrap it, or err alone.
func flatten(err error) []error {
	inner := err
	for {
		switch e := inner.(type) {
		case *codeError:
			inner = e.err
			continue
		case *hintError:
			inner = e.err
			continue
		case interface{ Unwrap() []error }:
			if !isJoin(e.Unwrap(), inner) {
				return []error{err}
			}
			var all []error
			for _, member := range e.Unwrap() {
				all = append(all, flatten(member)...)
			}
			return all
		}
		return []error{err}
	}
}

// isJoin tells errors.Join from fmt.Errorf with several %w, whose text would
// be lost if its members were printed alone.
func isJoin(members []error, joined error) bool {
	return errors.Join(members...).Error() == joined.Error()
}

func printHints(w io.Writer, tool string, err error, seen map[string]bool) {
	switch e := err.(type) {
	case nil:
	case *hintError:
		if !seen[e.hint] {
			seen[e.hint] = true
			fmt.Fprintf(w, "%s: hint: %s\n", tool, safeLine(e.hint))
		}
		printHints(w, tool, e.err, seen)
	case interface{ Unwrap() error }:
		printHints(w, tool, e.Unwrap(), seen)
	case interface{ Unwrap() []error }:
		for _, member := range e.Unwrap() {
			printHints(w, tool, member, seen)
		}
	}
}

// Log prints lines on stderr: what is worth saying, but is neither data nor the
// error that ends the tool.
type Log struct {
	Tool  string
	W     io.Writer
	Level int // 0 notes and warnings, 1 also Verbosef, 2 also Debugf
}

// Verbosity is the flags that choose how much a tool says; tools embed it in
// their options.
type Verbosity struct {
	Verbose bool `short:"v" help:"Say more on stderr."`
	Debug   bool `help:"Say still more on stderr."`
}

// Log returns the log that the flags ask for.
func (v Verbosity) Log(tool string, std Streams) *Log {
	log := &Log{Tool: tool, W: std.Err}
	switch {
	case v.Debug:
		log.Level = 2
	case v.Verbose:
		log.Level = 1
	}
	return log
}

// Warnf prints `tool: warning: ...`.
func (l *Log) Warnf(format string, args ...any) { l.printf(0, "warning: ", format, args) }

// Notef prints `tool: note: ...`.
func (l *Log) Notef(format string, args ...any) { l.printf(0, "note: ", format, args) }

// Verbosef prints `tool: ...` when the level is 1 or more.
func (l *Log) Verbosef(format string, args ...any) { l.printf(1, "", format, args) }

// Debugf prints `tool: debug: ...` when the level is 2 or more.
func (l *Log) Debugf(format string, args ...any) { l.printf(2, "debug: ", format, args) }

func (l *Log) printf(level int, prefix, format string, args []any) {
	if l == nil || l.Level < level {
		return
	}
	fmt.Fprintf(l.W, "%s: %s%s\n", l.Tool, prefix, safeLine(fmt.Sprintf(format, args...)))
}

// std returns the process's own streams.
func std() Streams { return Streams{os.Stdin, os.Stdout, os.Stderr} }
