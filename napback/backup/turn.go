package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"napback/napback/config"
	"napback/napback/source"
)

// turn is what the source of b gets of b's decision.
func (b *Backup) turn() source.Turn {
	return source.Turn{
		State: b.state, Base: b.decision.Base, Before: b.decision.Before, Now: b.host.Now,
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
