// Package chain runs programs connected by pipes, as a shell does with `a | b |
// c`, but waits for every one of them and knows which one failed.
//
// Each stage is a process of its own, started without a shell, and the pipe
// between two stages is the kernel's: no byte of data passes through this
// process. What a stage says on stderr is handed to Chain.Log line by line,
// and its last lines are kept for the report.
//
// The data flow of Run:
//
//  1. All pipes are made and the stages are started in order, in one process
//     group of their own (a stage without a terminal in one for itself), so that
//     a terminal's Ctrl-C reaches only this process, which then ends the stages
//     in an orderly way.
//  2. Every stage is waited for.
//  3. If Chain.Commit is set, the last stage is a sink that stores nothing for
//     good until it reads `commit` on its file descriptor 3 (CommitFD), and
//     that says in the first line of its stdout what it is going to store. Once
//     all stages before it have succeeded and that line has come, Commit is
//     called; if it agrees, the line `commit` and one line of JSON are written.
//     In every other case, the death of this process included, the descriptor
//     closes without a word and the sink stores nothing.
//  4. If a stage fails, the descriptor is closed at once, its neighbours end by
//     themselves (end of input, SIGPIPE), and what has not ended after
//     Chain.Grace gets SIGTERM, then SIGKILL.
//  5. When the context ends, all stages get SIGTERM at once, and after
//     Chain.Grace SIGKILL, and so do all processes that they have started.
//  6. The first stage that failed on its own account is the cause that Run
//     reports (Error); the others are its consequences.
package chain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// CommitFD is the descriptor on which a sink reads its commit.
const CommitFD = 3

// Stage is one process of a chain.
type Stage struct {
	Name string   // what logs and errors, and it itself, call it: "tar"
	Path string   // the program's file
	Args []string // its arguments, without the program's name
	Env  []string // its complete environment; see Environ
	Dir  string   // its working directory; "" = this process's

	// NoTerminal keeps the stage from the terminal, so that it cannot ask
	// for a password there, which nobody would answer, or be stopped for
	// having asked.
	NoTerminal bool

	// Accept, if not nil, tells whether a stage that did not end with
	// status 0 has nevertheless done its work.
	Accept func(Status) bool
}

// Chain is a pipeline of one or more stages.
type Chain struct {
	Stages []Stage
	Stdin  *os.File // of the first stage; nil = the null device
	// Stdout is the last stage's; nil = the null device, or, where Commit
	// is set, read by Run.
	Stdout *os.File

	// Commit decides, once every stage but the last has succeeded, whether
	// the last one may commit. announced is the first line that the last
	// stage printed; upstream is how the others ended. What it returns is
	// sent along as one line of JSON. After an error nothing is committed,
	// and Run returns that error.
	Commit func(announced string, upstream []Status) (extra map[string]string, err error)

	// Said, if not nil, gets each further line that the last stage prints on its
	// stdout, where Commit is set, one call at a time.
	Said func(line string)

	// Log, if not nil, gets every line that a stage writes on stderr,
	// without its line end, one call at a time. Lines are bounded in
	// length, but otherwise raw: they may hold any byte.
	Log func(stage, line string)

	// Grace is how long stages have to end by themselves, and then after
	// SIGTERM; 0 = 10 s.
	Grace time.Duration
}

// Run runs the chain to its end and returns how each stage ended, in the order
// of the stages. The error is nil only if every stage succeeded (and, with
// Commit, the commit was given to a sink that then succeeded). It is the
// context's cause if the context ended first, an *Error if a stage failed, and
// otherwise why the stages could not be started or were not to commit.
func (c *Chain) Run(ctx context.Context) ([]Status, error) {
	if len(c.Stages) == 0 {
		return nil, errors.New("run chain: no stages")
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	r, err := c.start()
	r.supervise(ctx)
	if err != nil {
		return r.status, err
	}
	return r.status, r.verdict(ctx)
}

// verdict maps what happened to Run's error.
func (r *running) verdict(ctx context.Context) error {
	failed := r.failure()
	switch {
	case failed == nil && r.refused == nil && (r.chain.Commit == nil || r.committed):
		return nil // also when the context ended just too late
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.refused != nil:
		return r.refused
	case failed != nil:
		return failed
	}
	last := r.chain.Stages[len(r.chain.Stages)-1].Name
	return fmt.Errorf("%s ended without having asked for its commit", last)
}
