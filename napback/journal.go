package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"napback/internal/cli"
	"napback/napback/config"
	"napback/napback/logging"
)

// journal notes how things go: for people, on stderr, in lines as all our tools
// write them, and in the log that a configuration asks for.
type journal struct {
	stderr io.Writer
	debug  bool         // stderr gets everything
	log    *slog.Logger // nil = none
	inside bool         // the log is on stderr itself, and nothing else is
	people slog.Level   // the least that stderr gets
	about  string       // what begins the lines for people: the job
	once   *sync.Map    // what several programs say of the endpoint, and people read once
}

// silent is above every level.
const silent = slog.LevelError + 1

// newJournal returns a journal for people, without a log.
func newJournal(stderr io.Writer, debug bool) *journal {
	j := &journal{stderr: stderr, debug: debug, once: new(sync.Map)}
	return j.at(slog.LevelInfo)
}

// openJournal opens the log of a configuration. Without a log of its own all is
// for people. With one stderr gets only what somebody should do something about.
func (e *engine) openJournal(c *config.Config) (*journal, func() error, error) {
	s := &c.Settings
	level, err := logging.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, nil, err
	}
	j := &journal{stderr: e.std.Err, debug: e.debug, once: new(sync.Map), inside: s.LogFile == "" && !s.Syslog}
	if j.inside && s.LogFormat != string(logging.JSON) {
		j.inside = false
		return j.at(level), func() error { return nil }, nil
	}
	log, closer, err := logging.Open(logging.Options{
		Format: logging.Format(s.LogFormat), Run: e.runID, Secrets: e.secrets, Stderr: e.std.Err,
		File: s.LogFile, MaxSize: s.LogMaxSize, MaxBackups: s.LogMaxBackups, Syslog: s.Syslog,
	})
	if err != nil {
		return nil, nil, cli.WithCode(cli.Usage, fmt.Errorf("%s: %w", c.Path, err))
	}
	j.log = log
	return j.at(level), closer.Close, nil
}

// at returns the journal with another level.
func (j *journal) at(level slog.Level) *journal {
	own := *j
	switch {
	case j.inside:
		own.people = silent
		if j.debug {
			level = slog.LevelDebug
		}
	case j.debug:
		own.people = slog.LevelDebug
	case j.log != nil:
		own.people = max(level, slog.LevelWarn)
	default:
		own.people = level
	}
	if j.log != nil {
		own.log = logging.AtLevel(j.log, level)
	}
	return &own
}

// of returns the journal of a job, at its own level.
func (j *journal) of(job *config.Job) *journal {
	own := *j
	if level, err := logging.ParseLevel(job.Settings.LogLevel); err == nil {
		own = *j.at(level)
	}
	own.about = job.String() + ": "
	if own.log != nil {
		own.log = own.log.With(logging.Job, job.Name, logging.Kind, job.Kind.Name)
	}
	return &own
}

// Warnf, Notef, Verbosef and Debugf are those of cli.Log.
func (j *journal) Warnf(format string, args ...any) {
	j.tell(slog.LevelWarn, "", "warning: ", fmt.Sprintf(format, args...))
}

func (j *journal) Notef(format string, args ...any) {
	j.tell(slog.LevelInfo, "", "note: ", fmt.Sprintf(format, args...))
}

func (j *journal) Verbosef(format string, args ...any) {
	j.tell(slog.LevelDebug, "", "", fmt.Sprintf(format, args...))
}

func (j *journal) Debugf(format string, args ...any) {
	j.tell(slog.LevelDebug, "", "debug: ", fmt.Sprintf(format, args...))
}

// Error notes an error with its hints.
func (j *journal) Error(err error) {
	var text bytes.Buffer
	cli.PrintError(&text, "napback", err)
	for line := range strings.Lines(text.String()) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "napback: ")
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			j.print(slog.LevelError, "hint: "+hint)
			j.record(slog.LevelInfo, "hint: "+hint)
			continue
		}
		line = strings.TrimPrefix(line, "error: ")
		j.print(slog.LevelError, "error: "+j.about+line)
		j.record(slog.LevelError, line)
	}
}

// Stage notes what a program says.
func (j *journal) Stage(level slog.Level, stage, text string) {
	prefix := ""
	if j.saidBefore(text) {
		level = slog.LevelDebug
	}
	if level == slog.LevelDebug {
		prefix = "debug: "
	}
	j.tell(level, stage, prefix, text)
}

// openEndpoint begins what each of the S3 tools says of an endpoint that is
// reached in the clear (internal/store.OpenEndpoint).
const openEndpoint = "note: requests are signed but not encrypted"

// saidBefore reports whether a line that every program says has been noted.
func (j *journal) saidBefore(text string) bool {
	if j == nil || j.once == nil || !strings.HasPrefix(text, openEndpoint) {
		return false
	}
	_, before := j.once.LoadOrStore(text, true)
	return before
}

func (j *journal) tell(level slog.Level, stage, prefix, text string) {
	var attrs []any
	about := j.about
	if stage != "" {
		attrs, about = []any{logging.Stage, stage}, about+stage+": "
	}
	j.print(level, prefix+about+text)
	j.record(level, text, attrs...)
}

func (j *journal) print(level slog.Level, line string) {
	if j != nil && level >= j.people {
		fmt.Fprintf(j.stderr, "napback: %s\n", oneLine(line))
	}
}

// record writes to the log alone.
func (j *journal) record(level slog.Level, text string, attrs ...any) {
	if j != nil && j.log != nil {
		j.log.Log(context.Background(), level, text, attrs...)
	}
}

// Lines returns a function that passes on what stages say. filter, if not nil,
// chooses the lines for people.
//
// That s3put did not commit is what napback made it do: people read the cause.
func (j *journal) Lines(filter func(stage, line string) bool) func(stage, line string) {
	return func(stage, line string) {
		text := strings.TrimPrefix(line, stage+": ")
		switch {
		case strings.TrimSpace(text) == "":
		case filter != nil && !filter(stage, line), strings.HasPrefix(text, notCommitted):
			j.Stage(slog.LevelDebug, stage, text)
		case strings.HasPrefix(text, "note: ") || strings.HasPrefix(text, "hint: "):
			j.Stage(slog.LevelInfo, stage, text)
		case strings.HasPrefix(text, "warning: "):
			j.tell(slog.LevelWarn, stage, "warning: ", strings.TrimPrefix(text, "warning: "))
		default: // programs that say something have a reason to
			j.Stage(slog.LevelWarn, stage, text)
		}
	}
}

// notCommitted begins what s3put says when it is given no commit.
const notCommitted = "error: not committed: the commit descriptor ended"

// masked is a writer for people to which no secret gets. Each Write is a line
// or several.
type masked struct {
	w      io.Writer
	redact *logging.Redactor
}

func (m masked) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.w, m.redact.String(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
