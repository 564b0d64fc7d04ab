package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/state"
)

// source is what a job backs up. Its methods only look, and tell what a run of
// the chain needs to know that differs between kinds of sources.
type source interface {
	// hash stands for all that a chain's archives must have in common.
	hash(job *config.Job) string
	// whyNotDiff returns what speaks against a DIFF that builds on base, or "".
	whyNotDiff(b *jobBackup, base *state.Point) string
	// unchanged tells that a DIFF on base would store nothing.
	unchanged(base *state.Point) bool
	// empty tells that there is nothing to back up.
	empty() bool
	// unpack is the shell command that takes the plain stream.
	unpack() string
	// explain adds to an error of the chain what people can do about it.
	explain(err error) error
	// plan returns the stages as begin's reading has them, and a shell
	// command that has to succeed before.
	plan(b *jobBackup) (before string, stages []chain.Stage, err error)
	// begin begins a run for b's decision.
	begin(b *jobBackup) (reading, error)
}

// reading is a source while the chain runs.
type reading interface {
	// stages are those that make the plain stream.
	stages() []chain.Stage
	// heard takes a line that a stage says, and tells whether it is for
	// people.
	heard(stage, line string) bool
	// bytes is how much was read from the source, once the stages have ended.
	bytes() int64
	// finish is called when the stages have succeeded, before the commit. It
	// adds to the state what the next increment needs, and makes it durable.
	// An error tells that the archive must not be committed.
	finish(p *state.Point, upstream []chain.Status) error
	// end removes what the run no longer needs.
	end()
}

// newSource prepares the source of a job. A source that is not there, or not
// what its kind says, is an error.
func (e *engine) newSource(ctx context.Context, job *config.Job) (source, error) {
	switch job.Kind {
	case config.Directory:
		return e.newDirectory(ctx, job)
	case config.MySQL, config.PostgreSQL:
		return e.newDatabase(job)
	case config.Subversion:
		return e.newRepository(ctx, job)
	}
	return nil, fmt.Errorf("a job of the kind %s has no source of its own", job.Kind)
}

// hashOf hashes what makes a chain with the schedule, whose changes begin a new
// one too.
func hashOf(job *config.Job, parts ...any) string {
	data, err := json.Marshal(append(parts, job.Settings.Schedule, fmt.Sprintf("%T", job.Settings.Schedule)))
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
