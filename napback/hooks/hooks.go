// Package hooks runs the programs that a configuration wants to be run before
// a job, after it, when it fails, and at the end of a run.
//
// A hook is a program with arguments, run without a shell. What it needs to
// know is in its environment:
//
//	NAPBACK_JOB     the job's archive name, without slot and type: home/build
//	NAPBACK_KIND    the kind of its source: Directory
//	NAPBACK_SOURCE  its source: /home/build
//	NAPBACK_TYPE    FULL or DIFF; empty while it is not known
//	NAPBACK_SLOT    the number of its slot; empty while it is not known
//	NAPBACK_RUN     the id of the run
//	NAPBACK_STATE   started, success, warning or failure
//	NAPBACK_ERROR   why it failed; empty unless it did
//	NAPBACK_HOST    the host's name
//
// At the end of a run there is no job: what is of one is empty. Besides these a hook
// gets only the harmless variables of napback's environment, such as PATH and HOME,
// and LC_ALL=C; no credentials. Its stdin is empty, or what the caller has for it. What
// it prints, on stdout or stderr, is logged line by line.
package hooks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"napback/internal/trust"
	"napback/napback/chain"
)

// State is how far a job is.
type State string

// The states of a job, as a hook gets them.
const (
	Started State = "started" // about to run
	Success State = "success"
	Warning State = "warning" // done, with warnings
	Failure State = "failure"
)

// Facts are what a hook gets to know.
type Facts struct {
	Job    string
	Kind   string
	Source string
	Type   string // "" = not known
	Slot   int    // negative = not known
	Run    string
	State  State
	Error  string
	Host   string
}

// Environ returns the environment of a hook, made from base, as os.Environ
// returns it.
func (f Facts) Environ(base []string) []string {
	slot := ""
	if f.Slot >= 0 {
		slot = strconv.Itoa(f.Slot)
	}
	env := chain.Environ(base)
	for _, v := range []struct{ name, value string }{
		{"JOB", f.Job}, {"KIND", f.Kind}, {"SOURCE", f.Source}, {"TYPE", f.Type}, {"SLOT", slot},
		{"RUN", f.Run}, {"STATE", string(f.State)}, {"ERROR", f.Error}, {"HOST", f.Host},
	} {
		// A NUL, which a program may have put into its last words, would
		// keep the hook from being started.
		env = append(env, "NAPBACK_"+v.name+"="+strings.ReplaceAll(v.value, "\x00", ""))
	}
	return env
}

// Hook is a program to run.
type Hook struct {
	Argv  []string // the program, looked for in PATH if it has no slash, and its arguments
	Facts Facts
	Env   []string          // what its environment is made from; nil = this process's own
	Log   func(line string) // gets every line that it prints, bounded but raw; nil = nobody
	Stdin []byte            // what it can read there. That it does not is no failure

	// Grace is how long it has to end after SIGTERM, when the context has
	// ended, before SIGKILL; 0 = 10 s.
	Grace time.Duration
}

// Run runs the hook to its end. The error is nil only if it exited with status
// 0. It is not waited for processes that it left behind in the background; when
// the context ends first, they are signalled too. Without Argv there is
// nothing to do. A program that others can write, or a directory above it, is
// refused: they would run what they like as the user who makes backups.
func (h Hook) Run(ctx context.Context) error {
	if len(h.Argv) == 0 {
		return nil
	}
	if err := h.run(ctx); err != nil {
		return fmt.Errorf("hook %q: %w", strings.Join(h.Argv, " "), err)
	}
	return nil
}

func (h Hook) run(ctx context.Context) error {
	path, err := exec.LookPath(h.Argv[0])
	if err != nil {
		var lookup *exec.Error
		if errors.As(err, &lookup) {
			err = lookup.Err
		}
		return err
	}
	if err := trust.File(path); err != nil {
		return err
	}
	base := h.Env
	if base == nil {
		base = os.Environ()
	}
	var mu sync.Mutex // stdout and stderr are read at once
	log := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		if h.Log != nil {
			h.Log(line)
		}
	}
	var in io.Reader // nil, and not a Reader of nothing: the null device
	if h.Stdin != nil {
		in = bytes.NewReader(h.Stdin)
	}
	c := chain.Chain{
		In:     in,
		Stages: []chain.Stage{{Name: filepath.Base(h.Argv[0]), Path: path, Args: h.Argv[1:], Env: h.Facts.Environ(base)}},
		Log:    func(_, line string) { log(line) },
		Grace:  h.Grace,
	}
	_, err = c.Reading(ctx, func(stdout io.Reader) error {
		eachLine(stdout, log) // what the hook left behind may hold it open
		return nil
	})
	return err
}

// lineBytes bounds a line; what is longer is cut, as chain cuts stderr.
const lineBytes = 4096

// eachLine calls f with every line of r, without its line end.
func eachLine(r io.Reader, f func(string)) {
	lines := bufio.NewReaderSize(r, lineBytes)
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		text := string(line)
		if more {
			text += "..."
		}
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
		f(text)
	}
}
