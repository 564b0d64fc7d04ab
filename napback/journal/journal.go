// Package journal notes how things go: for people, on stderr, in lines as all our
// tools write them, and in the log that a configuration asks for.
package journal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"napback/internal/address"
	"napback/internal/cli"
	"napback/napback/config"
	"napback/napback/logging"
)

// Journal is one of the above. The zero value notes nothing.
type Journal struct {
	stderr io.Writer
	debug  bool         // stderr gets everything
	log    *slog.Logger // nil = none
	inside bool         // the log is on stderr itself, and nothing else is
	people slog.Level   // the least that stderr gets
	about  string       // what begins the lines for people: the job
	once   *sync.Map    // what several programs say of the endpoint, and people read once
	to     logging.Destinations
}

// silent is above every level.
const silent = slog.LevelError + 1

// New returns a journal for people, without a log.
func New(stderr io.Writer, debug bool) *Journal {
	j := &Journal{stderr: stderr, debug: debug, once: new(sync.Map)}
	return j.at(slog.LevelInfo)
}

// Options are what Open needs besides the settings of a configuration.
type Options struct {
	Stderr  io.Writer
	Debug   bool     // stderr gets everything
	Run     string   // id of the run of napback
	Secrets []string // are masked in the log
}

// Open opens the log of a configuration; the caller closes it. Without a log of its
// own all is for people. With one stderr gets only what somebody should do something
// about.
func Open(c *config.Config, o Options) (*Journal, func() error, error) {
	s := &c.Settings
	level, err := logging.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{stderr: o.Stderr, debug: o.Debug, once: new(sync.Map), inside: s.LogFile == "" && !s.Syslog}
	if j.inside && s.LogFormat != string(logging.JSON) {
		j.inside = false
		return j.at(level), func() error { return nil }, nil
	}
	log, closer, err := logging.Open(logging.Options{
		Format: logging.Format(s.LogFormat), Run: o.Run, Secrets: o.Secrets, Stderr: o.Stderr,
		File: s.LogFile, MaxSize: s.LogMaxSize, MaxBackups: s.LogMaxBackups, Syslog: s.Syslog,
	})
	if err != nil {
		return nil, nil, cli.WithCode(cli.Usage, fmt.Errorf("%s: %w", c.Path, err))
	}
	j.log, j.to = log, closer
	return j.at(level), closer.Close, nil
}

// at returns the journal with another level.
func (j *Journal) at(level slog.Level) *Journal {
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

// Of returns the journal of a job, at its own level.
func (j *Journal) Of(job *config.Job) *Journal {
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
func (j *Journal) Warnf(format string, args ...any) {
	j.tell(slog.LevelWarn, "", "warning: ", fmt.Sprintf(format, args...))
}

func (j *Journal) Notef(format string, args ...any) {
	j.tell(slog.LevelInfo, "", "note: ", fmt.Sprintf(format, args...))
}

// Hintf tells what can be done about the warning before it.
func (j *Journal) Hintf(format string, args ...any) {
	j.tell(slog.LevelWarn, "", "hint: ", fmt.Sprintf(format, args...))
}

func (j *Journal) Verbosef(format string, args ...any) {
	j.tell(slog.LevelDebug, "", "", fmt.Sprintf(format, args...))
}

func (j *Journal) Debugf(format string, args ...any) {
	j.tell(slog.LevelDebug, "", "debug: ", fmt.Sprintf(format, args...))
}

// Notes notes what is worth saying of a configuration once per run.
func (j *Journal) Notes(c *config.Config) {
	for _, note := range c.Notes {
		j.Notef("%s", note)
	}
}

// Failed tells why the log could not be written, at least once; "" = it has all.
func (j *Journal) Failed() string {
	if j == nil || j.to == nil {
		return ""
	}
	return j.to.Failed()
}

// Again notes an error that people have read already, of another job, in the log.
func (j *Journal) Again(err error) {
	logged := *j
	if !j.debug {
		logged.people = silent
	}
	logged.Error(err)
}

// Error notes an error with its hints.
func (j *Journal) Error(err error) {
	var text bytes.Buffer
	cli.PrintError(&text, "napback", err)
	for line := range strings.Lines(text.String()) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "napback: ")
		if hint, ok := strings.CutPrefix(line, "hint: "); ok {
			j.print(slog.LevelError, "hint: "+hint)
			j.Record(slog.LevelInfo, "hint: "+hint)
			continue
		}
		line = strings.TrimPrefix(line, "error: ")
		j.print(slog.LevelError, "error: "+j.about+line)
		j.Record(slog.LevelError, line)
	}
}

// Stage notes what a program says.
func (j *Journal) Stage(level slog.Level, stage, text string) {
	prefix := ""
	if j.saidBefore(text) {
		level = slog.LevelDebug
	}
	if level == slog.LevelDebug {
		prefix = "debug: "
	}
	j.tell(level, stage, prefix, text)
}

// saidBefore reports whether a line that every program says has been noted.
func (j *Journal) saidBefore(text string) bool {
	if j == nil || j.once == nil || !strings.HasPrefix(text, "note: "+address.OpenEndpoint) {
		return false
	}
	_, before := j.once.LoadOrStore(text, true)
	return before
}

func (j *Journal) tell(level slog.Level, stage, prefix, text string) {
	var attrs []any
	about := j.about
	if stage != "" {
		attrs, about = []any{logging.Stage, stage}, about+stage+": "
	}
	j.print(level, prefix+about+text)
	j.Record(level, text, attrs...)
}

func (j *Journal) print(level slog.Level, line string) {
	if j != nil && level >= j.people {
		fmt.Fprintf(j.stderr, "napback: %s\n", cli.Safe(line))
	}
}

// Record writes to the log alone.
func (j *Journal) Record(level slog.Level, text string, attrs ...any) {
	if j != nil && j.log != nil {
		j.log.Log(context.Background(), level, text, attrs...)
	}
}

// Lines returns a function that passes on what stages say. filter, if not nil,
// chooses the lines for people.
func (j *Journal) Lines(filter func(stage, line string) bool) func(stage, line string) {
	return func(stage, line string) {
		text := strings.TrimPrefix(line, stage+": ")
		switch {
		case strings.TrimSpace(text) == "":
		case filter != nil && !filter(stage, line):
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

// Masked is a writer for people to which no secret gets. Each Write is a line
// or several.
type Masked struct {
	W      io.Writer
	Redact *logging.Redactor
}

func (m Masked) Write(p []byte) (int, error) {
	if _, err := io.WriteString(m.W, m.Redact.String(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
