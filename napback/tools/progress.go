package tools

import (
	"encoding/json"
	"strings"

	"napback/internal/cli"
)

// Showing is the client whose Put, Get and Verify tell how far they are, if there is
// somebody to show it to: see Watch.
func (s Store) Showing(p *cli.Progress) Store {
	if p != nil {
		s.progress = "json"
	}
	return s
}

// Watch takes out of what the stages of a chain say how far s3put or s3get is
// (chain.Chain.Aside). show gets it.
func Watch(show func(cli.ProgressLine)) func(stage, line string) bool {
	return func(stage, line string) bool {
		if stage != "s3put" && stage != "s3get" || !strings.HasPrefix(line, `{"event":"progress"`) {
			return false
		}
		var told cli.ProgressLine
		if err := json.Unmarshal([]byte(line), &told); err != nil {
			return false
		}
		show(told)
		return true
	}
}
