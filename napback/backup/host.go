package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"time"

	"napback/napback/config"
	"napback/napback/programs"
	"napback/napback/state"
	"napback/napback/tools"
)

// Host is the machine that backups are made on.
type Host struct {
	Kit  programs.Kit
	Name string
	Now  func() time.Time
	Log  Log
}

// Log is where it is told how a job goes.
type Log interface {
	Warnf(format string, args ...any)
	Notef(format string, args ...any)
	Debugf(format string, args ...any)
	// Lines returns what takes the lines that stages say on stderr. forPeople, if
	// not nil, tells which are for people.
	Lines(forPeople func(stage, line string) bool) func(stage, line string)
}

// Store returns the client of a job's store.
func (h Host) Store(job *config.Job) tools.Store {
	return tools.Open(h.Kit, &job.Settings, h.Log.Lines(nil))
}

// State returns the state of a job of its store.
func (h Host) State(dir *state.Dir, job *config.Job) *state.Job {
	return dir.Job(tools.StateKey(job, h.Kit.Env))
}

// machineFile holds what tells this machine from all others.
const machineFile = "/etc/machine-id"

// machineHash returns what manifests tell of the machine: not its id, which is
// confidential, but a hash that only napback makes. "" if it has no id.
func machineHash(path string) string {
	id, err := os.ReadFile(path)
	if text := strings.TrimSpace(string(id)); err == nil && text != "" {
		sum := sha256.Sum256([]byte("napback machine\x00" + text))
		return hex.EncodeToString(sum[:])
	}
	return ""
}
