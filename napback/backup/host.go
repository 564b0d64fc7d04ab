package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/config"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/tools"
)

// Host is the machine that backups are made on.
type Host struct {
	Kit  programs.Kit
	Name string
	Now  func() time.Time
	Log  tools.Log
}

// Store returns the client of a job's store.
func (h Host) Store(job *config.Job) tools.Store {
	return tools.Open(h.Kit, &job.Settings, h.Log.Lines(func(stage, line string) bool { return !isEnd(stage, line) }))
}

// isEnd tells a line that one of our tools prints at its end: an error, or its hint.
// The error of the chain has both.
func isEnd(stage, line string) bool {
	text, own := strings.CutPrefix(line, stage+": ")
	return own && (strings.HasPrefix(text, "error: ") || strings.HasPrefix(text, "hint: "))
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

// Source is what kinds of sources get of the host.
func (h Host) Source() source.Host {
	return source.Host{
		Kit:   h.Kit,
		Heard: func(stage, line string) { h.Log.Debugf("%s: %s", stage, cli.Safe(line)) },
		Note:  func(text string) { h.Log.Notef("%s", text) },
	}
}

// OpenSource prepares the source of a job. A source that is not there, or not what
// its kind says, is an error.
func (h Host) OpenSource(ctx context.Context, job *config.Job) (source.Source, error) {
	return job.Kind.Open(ctx, h.Source(), job.OfSource())
}

// Keys are fingerprints by tools.Recipients.
type Keys map[string][]string

// CheckRecipients makes sure that everything can be encrypted, before anything is
// started. say gets what pgpipe says.
func (h Host) CheckRecipients(ctx context.Context, configs []*config.Config, say func(line string)) (Keys, error) {
	all := Keys{}
	for _, c := range configs {
		for i := range c.Jobs {
			set := &c.Jobs[i].Settings
			if _, known := all[tools.Recipients(set)]; known || len(set.GpgRecipients) == 0 {
				continue
			}
			keys, err := tools.CheckRecipients(ctx, h.Kit, &c.Jobs[i], say)
			if err != nil {
				return nil, err
			}
			all[tools.Recipients(set)] = keys
		}
	}
	return all, nil
}
