package logging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"napback/internal/cli"
	"napback/internal/trust"
)

// pause is how long a destination that could not be written is left alone: each
// try may take as long as a dead syslog's deadline.
const pause = time.Minute

// sink is what lines are written to. The stamp is the time and level of a line,
// for a sink that does not note them itself.
type sink interface {
	write(level slog.Level, stamp, line string) error
	Close() error
}

// output writes lines to its destinations, or to stderr.
type output struct {
	mu           sync.Mutex
	stderr       io.Writer
	destinations []*destination
}

// destination is a sink and how it has behaved.
type destination struct {
	name   string
	sink   sink      // nil once closed, or if it could not be made
	failed string    // why, the first time; "" = never
	later  time.Time // not to be tried before
}

// add adds a destination, or, after an error, only the warning about it.
func (o *output) add(name string, s sink, err error) {
	d := &destination{name: name, sink: s}
	if err != nil {
		d.sink = nil
		o.warn(d, err)
	}
	o.destinations = append(o.destinations, d)
}

// put writes a line to every destination, and once to stderr if there is none or
// one could not be written.
func (o *output) put(level slog.Level, stamp, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	missed := len(o.destinations) == 0
	for _, d := range o.destinations {
		if !o.try(d, level, stamp, line) {
			missed = true
		}
	}
	if missed {
		_, _ = io.WriteString(o.stderr, stamp+line) // there is nowhere left to report it
	}
}

func (o *output) try(d *destination, level slog.Level, stamp, line string) bool {
	if d.sink == nil || time.Now().Before(d.later) {
		return false
	}
	err := d.sink.write(level, stamp, line)
	if err != nil {
		d.later = time.Now().Add(pause)
		o.warn(d, err)
	}
	return err == nil
}

// warn warns of the first failure of a destination.
func (o *output) warn(d *destination, err error) {
	if d.failed == "" {
		d.failed = cli.Safe(fmt.Sprintf("%s: %v", d.name, err))
		fmt.Fprintf(o.stderr, "napback: warning: %s; its lines are written here instead\n", d.failed)
	}
}

// Failed is that of Destinations.
func (o *output) Failed() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.destinations {
		if d.failed != "" {
			return d.failed
		}
	}
	return ""
}

// Close closes all destinations.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var errs []error
	for _, d := range o.destinations {
		if d.sink == nil {
			continue
		}
		if err := d.sink.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", d.name, err))
		}
		d.sink = nil
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

// inPlace tells whether the directory of the file is there. The rotation would make
// it, on whatever disk is mounted there just now.
func (f file) inPlace() error {
	dir := filepath.Dir(f.Filename)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %q, and it is never made", dir)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%q is not a directory", dir)
	}
	return nil
}

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
	f := file{&lumberjack.Logger{
		Filename: path, MaxSize: int((maxSize + mebibyte - 1) / mebibyte), MaxBackups: maxBackups, LocalTime: true,
	}}
	return f, f.inPlace()
}

func (f file) write(_ slog.Level, stamp, line string) error {
	// Each time: the next file is begun while the run goes on, and what is written to
	// one whose directory is gone, nobody finds.
	if err := f.inPlace(); err != nil {
		return err
	}
	_, err := f.Write([]byte(stamp + line))
	return err
}
