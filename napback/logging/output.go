package logging

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"napback/internal/cli"
	"napback/internal/trust"
)

// pause is how long a place that could not be written is left alone: each try
// may take as long as a dead syslog's deadline.
const pause = time.Minute

// sink is a place that lines are written to.
type sink interface {
	write(level slog.Level, line []byte) error
	Close() error
}

// output writes lines to its places, or to stderr.
type output struct {
	mu     sync.Mutex
	stderr io.Writer
	encode func(slog.Record) []byte // for stderr
	places []*place
}

// place is a sink and how it has behaved.
type place struct {
	name   string
	sink   sink // nil once closed, or if it could not be made
	encode func(slog.Record) []byte
	failed bool      // at least once
	later  time.Time // not to be tried before
}

// add adds a place, or, after an error, only the warning about it.
func (o *output) add(name string, s sink, encode func(slog.Record) []byte, err error) {
	p := &place{name: name, sink: s, encode: encode}
	if err != nil {
		p.sink = nil
		o.warn(p, err)
	}
	o.places = append(o.places, p)
}

// put writes a record to every place, and once to stderr if there is none or
// one could not be written.
func (o *output) put(r slog.Record) {
	o.mu.Lock()
	defer o.mu.Unlock()
	missed := len(o.places) == 0
	for _, p := range o.places {
		if !o.try(p, r) {
			missed = true
		}
	}
	if missed {
		_, _ = o.stderr.Write(o.encode(r)) // there is no place left to tell
	}
}

func (o *output) try(p *place, r slog.Record) bool {
	if p.sink == nil || time.Now().Before(p.later) {
		return false
	}
	err := p.sink.write(r.Level, p.encode(r))
	if err != nil {
		p.later = time.Now().Add(pause)
		o.warn(p, err)
	}
	return err == nil
}

// warn tells the first failure of a place.
func (o *output) warn(p *place, err error) {
	if !p.failed {
		p.failed = true
		fmt.Fprintf(o.stderr, "napback: warning: %s; its lines are written here instead\n", cli.Safe(fmt.Sprintf("%s: %v", p.name, err)))
	}
}

// Close closes all places.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, p := range o.places {
		if p.sink == nil {
			continue
		}
		if err := p.sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", p.name, err))
		}
		p.sink = nil
	}
	return errors.Join(errs...)
}

const (
	defaultMaxSize    = 10 << 20
	defaultMaxBackups = 5
)

// file is a log file with its rotation. A file that it makes has mode 0600; one
// that is there keeps its mode, and so do those that follow it. Only one
// process at a time may write it.
type file struct{ *lumberjack.Logger }

func openFile(path string, maxSize int64, maxBackups int) (file, error) {
	// The rotation opens files by name, which is safe where nobody else can put
	// a symbolic link.
	if err := trust.Log(path); err != nil {
		return file{}, err
	}
	path, err := regular(path)
	if err != nil {
		return file{}, err
	}
	if maxSize <= 0 {
		maxSize = defaultMaxSize
	}
	if maxBackups <= 0 {
		maxBackups = defaultMaxBackups
	}
	const mebibyte = 1 << 20
	return file{&lumberjack.Logger{
		Filename: path, MaxSize: int((maxSize + mebibyte - 1) / mebibyte), MaxBackups: maxBackups, LocalTime: true,
	}}, nil
}

func (f file) write(_ slog.Level, line []byte) error {
	_, err := f.Write(line)
	return err
}
