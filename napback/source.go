package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"napback/napback/config"
	"napback/napback/source"
)

// hostOf is what the kinds of sources get of e.
func (e *engine) hostOf() source.Host {
	return source.Host{
		Kit:   e.kit,
		Heard: func(stage, line string) { e.log.Debugf("%s: %s", stage, oneLine(line)) },
		Note:  func(text string) { e.log.Notef("%s", text) },
	}
}

// openSource prepares the source of a job. A source that is not there, or not
// what its kind says, is an error.
func (e *engine) openSource(ctx context.Context, job *config.Job) (source.Source, error) {
	return job.Kind.Open(ctx, e.hostOf(), job.OfSource())
}

// turn is what the source of b gets of b's decision.
func (b *jobBackup) turn() source.Turn {
	return source.Turn{
		State: b.state, Base: b.decision.Base, Before: b.decision.Before, Now: b.now,
		Warn: b.warn, Warned: func(text string) { b.warnings = append(b.warnings, text) },
	}
}

// hashOf hashes what makes a chain with the schedule, whose changes begin a new
// one too.
func hashOf(job *config.Job, parts []any) string {
	data, err := json.Marshal(append(parts, job.Settings.Schedule, fmt.Sprintf("%T", job.Settings.Schedule)))
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
