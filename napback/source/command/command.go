// Package command is the kind of source that is a program: what it writes to its
// stdout is backed up, always in full.
//
// Nothing is known of the stream but what the program says of it: it is whole if the
// program ends with status 0, or one of OkExit. All of it passes through a stage that
// counts it, so that a stream that is empty or shrinks is told of.
package command

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"napback/internal/address"
	"napback/internal/cli"
	"napback/internal/trust"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/state"
)

const (
	run    = "Run"
	load   = "Load"
	okExit = "OkExit"
)

// Command is the kind of programs' outputs.
func Command() source.Kind {
	return source.Kind{
		Name:    "Command",
		Program: run,
		Options: []source.Option{
			{Name: run, Form: source.Program, Own: true},
			{Name: load, Form: source.Program, Own: true},
			{Name: okExit, Repeat: true, Check: checkExit},
			source.RunAs(),
		},
		Clean: func(argument string) (string, error) {
			if strings.HasPrefix(argument, "/") || strings.HasPrefix(argument, "-") {
				return "", errors.New("want a name for what the program writes, such as app.db")
			}
			return argument, address.CheckName("Command/"+argument, len("Command/")+len(argument))
		},
		Open: func(_ context.Context, host source.Host, job source.Job) (source.Source, error) {
			s, err := stage(host, job, run)
			if err != nil {
				return nil, err
			}
			s.Accept = func(s chain.Status) bool {
				return s.Signal == "" && slices.Contains(job.Options[okExit], strconv.Itoa(s.Code))
			}
			count, err := host.Kit.Hidden(programs.Whole, programs.Anything)
			return &output{job: job, stages: []chain.Stage{s, count}}, err
		},
		Probe: func(job source.Job) (doubt string, err error) {
			if words := job.Options[load]; len(words) > 0 {
				if _, err := exec.LookPath(words[0]); err != nil {
					return fmt.Sprintf("%s %q: no such program in PATH, so nothing loads a backup here", load, words[0]), nil
				}
			}
			return "", nil
		},
		Load: func(host source.Host, l source.Load) (source.Loader, error) {
			if len(l.Options[load]) == 0 {
				return nil, cli.WithHint(cli.UsageErrorf("the job has no Load"), "add a line Load PROGRAM [ARGUMENT...] to its block, or restore --to FILE")
			}
			s, err := stage(host, l.Job, load)
			return &loader{stage: s}, err
		},
	}
}

// checkExit refuses statuses that say that the program did not run, or was killed.
func checkExit(word string) error {
	const notRun = 125 // and what is above it
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n >= notRun {
		return fmt.Errorf("want an exit status below %d", notRun)
	}
	return nil
}

// stage is the program of an option. One that others can write is refused: they
// would run what they like.
func stage(host source.Host, job source.Job, option string) (chain.Stage, error) {
	words := job.Options[option]
	path, ok := host.Kit.Program(words[0])
	if !ok {
		return chain.Stage{}, cli.WithHint(fmt.Errorf("%s %q: no such program in PATH", option, words[0]), "install it, or give its whole path")
	}
	if err := trust.File(path); err != nil {
		return chain.Stage{}, fmt.Errorf("%s: %w", option, err)
	}
	s := host.Kit.Stage(nameOf(path), path, words[1:])
	s.NoTerminal = true // a program that asks must fail, not wait
	return host.Kit.RunAs(job.Options.RunAs(), s)
}

// nameOf is what logs and errors, and itself, call a program: not as a stage of our
// own is called, whose lines and statuses have meanings.
func nameOf(path string) string {
	name := filepath.Base(path)
	if slices.Contains([]string{"napback", "s3put", "s3get", "s3ls", "s3rm", "pgpipe", "gpg", "tar"}, name) || programs.Decompresses(name) {
		return path
	}
	return name
}

// output is what a program is going to write.
type output struct {
	job    source.Job
	stages []chain.Stage
}

func (o *output) Hash() []any                   { return []any{o.job.Kind, o.job.Source} }
func (o *output) WhyNotDiff(source.Turn) string { return "the output of a program has no DIFF" }
func (o *output) Unchanged(*state.Point) bool   { return false }
func (o *output) Empty() bool                   { return false }
func (o *output) Unpack() string                { return "cat" }
func (o *output) Explain(err error) error       { return err }

func (o *output) Plan(source.Turn) (string, []chain.Stage, error) { return "", o.stages, nil }
func (o *output) Begin(t source.Turn) (source.Reading, error) {
	return &reading{stages: o.stages, warn: t.Warn}, nil
}

// reading is one run of the program.
type reading struct {
	stages []chain.Stage
	warn   func(string)
	bytes  int64
}

func (r *reading) Stages() []chain.Stage { return r.stages }
func (r *reading) Bytes() int64          { return r.bytes }
func (r *reading) End()                  {}

func (r *reading) Heard(stage, line string) bool {
	n, ok := programs.Copied(stage, line)
	if ok {
		r.bytes = n
	}
	return !ok
}

// Finish refuses what was accepted by its status alone, and is nothing.
func (r *reading) Finish(_ *state.Point, upstream []chain.Status) error {
	if r.bytes > 0 {
		return nil
	}
	if code := upstream[0].Code; code != 0 {
		return fmt.Errorf("%s: exit status %d, which %s allows, but it has written nothing", upstream[0].Stage, code, okExit)
	}
	r.warn("the program has written NOTHING: the backup is empty")
	return nil
}

// loader gives archives to a program.
type loader struct {
	source.Unseen
	stage chain.Stage
}

func (l *loader) Where() string                                 { return "by " + l.stage.Name }
func (l *loader) Target(context.Context) (string, error)        { return "by " + l.stage.String(), nil }
func (l *loader) Prepare(context.Context) error                 { return nil }
func (l *loader) Before() ([]chain.Stage, error)                { return nil, nil }
func (l *loader) Stages(context.Context) ([]chain.Stage, error) { return []chain.Stage{l.stage}, nil }
func (l *loader) Explain(err error) error                       { return err }
func (l *loader) Undo(context.Context) string {
	return "the program got a part of the backup, or all of it: what it has made of that is not a complete restore, and is still there"
}
