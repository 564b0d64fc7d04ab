// Package logging writes napback's log: lines of text or JSON, to stderr, to a
// file that is rotated, to syslog (which journald reads too), or to the last
// two at once.
//
// A line goes through these steps:
//
//  1. Its level is compared with that of the run or of the job (AtLevel).
//  2. Secrets are masked in the message and in every attribute, and what is
//     too long is cut (Redactor).
//  3. It gets the run's id, and slog's own handlers write it as text or JSON.
//  4. It goes to each destination. One that cannot be written costs one warning;
//     its lines go to stderr until it can be written again. Logging never fails
//     a backup and never holds it up for longer than a few seconds. The directory
//     of a file is never made: its disk may not be mounted.
//
// A line of text is for people and for grep:
//
//	2026-11-20T03:15:02+01:00 WARN 20261120T031502Z-k3f9 home/build tar: the message key=value
//
// Time, level, run, job and stage come first, the last two only where they are
// known. Bytes that are not printable are escaped, so that a file's name can
// neither forge a line nor control a terminal.
package logging

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
)

// The attributes that a line of text puts first, and Kind, which it leaves out.
const (
	Run   = "run"
	Job   = "job"
	Stage = "stage"
	Kind  = "kind"
)

// Format is how lines are written.
type Format string

// The formats; "" is Text.
const (
	Text Format = "text"
	JSON Format = "json"
)

// Options say what is logged, and where to.
type Options struct {
	Format Format
	Run    string // the id of the run, in every line; "" = none

	File string // "" = none
	// MaxSize is how many bytes a file may have before the next one is
	// begun. It is rounded up to whole MiB, the unit of the rotation; 0 =
	// 10 MiB.
	MaxSize int64
	// MaxBackups is how many files are kept besides the current one; 0 = 5.
	MaxBackups int

	// Syslog also writes to the local syslog, as facility daemon.
	Syslog bool

	Secrets []string  // masked wherever they occur; see NewRedactor
	Stderr  io.Writer // nil = the process's own

	syslogPaths []string // instead of the system's
}

// Destinations are where the lines of a log go.
type Destinations interface {
	io.Closer
	// Failed tells why one of them could not be written, at least once; "" = all
	// have all lines.
	Failed() string
}

// Open returns a logger of level Info. Its error is only about Options that
// cannot be meant so; a destination that cannot be written costs a warning on
// stderr. Lines that come after Close go to stderr.
func Open(o Options) (*slog.Logger, Destinations, error) {
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Format == "" {
		o.Format = Text
	}
	if o.Format != Text && o.Format != JSON {
		return nil, nil, fmt.Errorf("log format %q: want text or json", o.Format)
	}
	if o.Syslog && (runtime.GOOS == "windows" || runtime.GOOS == "plan9" || runtime.GOOS == "js") {
		return nil, nil, fmt.Errorf("syslog: there is none on %s", runtime.GOOS)
	}
	out := &output{stderr: o.Stderr}
	if o.File != "" {
		f, err := openFile(o.File, o.MaxSize, o.MaxBackups)
		out.add("log file "+o.File, f, err)
	}
	if o.Syslog {
		out.add("syslog", newSyslog(o.syslogPaths), nil)
	}
	return slog.New(newHandler(&core{out: out, redact: NewRedactor(o.Secrets), format: o.Format}, o.Run)), out, nil
}

// AtLevel returns the logger with another level. A logger that is not from Open
// is returned as it is.
func AtLevel(log *slog.Logger, level slog.Level) *slog.Logger {
	h, ok := log.Handler().(*handler)
	if !ok {
		return log
	}
	changed := *h
	changed.level = level
	return slog.New(&changed)
}

// ParseLevel reads debug, info, warn or error.
func ParseLevel(name string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return level, fmt.Errorf("log level %q: want debug, info, warn or error", name)
	}
	return level, nil
}

// regular resolves symbolic links and refuses what is there but is no regular
// file: rotation renames the file, which must never happen to /dev/null or to
// a directory.
func regular(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", errors.New("symbolic link to nothing")
		}
		return path, nil
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	return real, nil
}
