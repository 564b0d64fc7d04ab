// Package chain runs programs connected by pipes, as a shell does with `a | b |
// c`, but waits for every one of them and knows which one failed.
//
// Each stage is a process of its own, started without a shell, and the pipe
// between two stages is the kernel's: no byte of data passes through this
// process, but at the ends of the chain, if they are no files. What a stage says on stderr is handed to Chain.Log line by line,
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
//  6. What Chain.In and Chain.Out are, if no files, is read and written by this
//     process. An error of theirs ends the stages as one of a stage does; before
//     the first stage could take a part of its input for the whole, it is ended.
//  7. The first stage that failed on its own account is the cause that Run
//     reports (Error); the others are its consequences.
package chain

import (
	"context"
	"errors"
	"fmt"
	"io"
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

	// In is what the first stage reads; nil = the null device. It gets an
	// *os.File as it is; what else there is, Run reads and passes on, until no
	// stage wants more. An error of In ends the chain before the first stage
	// can take what came for all.
	In io.Reader
	// Out is where the last stage writes; nil = the null device, or, where
	// Commit is set, read by Run. It gets an *os.File as it is; to what else
	// there is, Run writes. An error of Out ends the chain.
	Out io.Writer

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

	// Aside, if not nil, gets every line before Log does, and takes those that it
	// returns true for: they are neither logged nor kept.
	Aside func(stage, line string) bool

	// Grace is how long stages have to end by themselves, and then after
	// SIGTERM; 0 = 10 s.
	Grace time.Duration

	take func(io.Reader) error // instead of Out; see Reading
}

// Run runs the chain to its end and returns how each stage ended, in the order
// of the stages. The error is nil only if every stage succeeded (and, with
// Commit, the commit was given to a sink that then succeeded). It is the
// context's cause if the context ended first, an *Error if a stage failed, and
// otherwise why the stages could not be started or were not to commit. An error of
// In or Out counts before what stages do for it, which may be to fail because
// nobody takes what they write, but not before a stage that failed earlier.
//
// Run waits for what it reads or writes itself. Only a Read of In that has not
// returned though all stages have ended, and a Write to Out though the chain has
// failed or the context ended, are left alone after a moment.
func (c *Chain) Run(ctx context.Context) ([]Status, error) {
	if len(c.Stages) == 0 {
		return nil, errors.New("run chain: no stages")
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	r, err := c.start()
	r.supervise(ctx)
	if err == nil {
		err = r.cause(ctx)
	}
	if bad := r.endPumps(ctx, err); err == nil {
		err = bad
	}
	return r.status, err
}

// Reading is Run, with take reading what the last stage writes instead of Out. An
// error of take is one of Out. What it reads ends when all stages have ended; how,
// only Reading's own error tells. Run waits for take.
func (c *Chain) Reading(ctx context.Context, take func(io.Reader) error) ([]Status, error) {
	read := *c
	read.take = take
	return read.Run(ctx)
}

// cause maps what happened to Run's error.
func (r *running) cause(ctx context.Context) error {
	failed := r.failure()
	switch {
	case failed == nil && r.refused == nil && r.broken == nil && (r.chain.Commit == nil || r.committed):
		return nil // also when the context ended just too late
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case r.refused != nil:
		return r.refused
	case r.broken != nil:
		return r.broken
	case failed != nil:
		return failed
	}
	last := r.chain.Stages[len(r.chain.Stages)-1].Name
	return fmt.Errorf("%s ended without having asked for its commit", last)
}
