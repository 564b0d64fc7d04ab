//go:build unix

package chain

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// A program's lines for us neither fill what is kept for the report nor reach the log.
func TestWhatIsTakenAsideIsNeitherLoggedNorKept(t *testing.T) {
	var aside, logged []string
	c := Chain{
		Stages: []Stage{sh("a", `echo first >&2; i=0; while [ $i -lt 200 ]; do echo "{$i}" >&2; i=$((i+1)); done; printf last >&2; exit 3`)},
		Log:    func(stage, line string) { logged = append(logged, stage+" "+line) },
		Aside: func(stage, line string) bool {
			if stage != "a" || !strings.HasPrefix(line, "{") {
				return false
			}
			aside = append(aside, line)
			return true
		},
	}
	_, err := c.Run(t.Context())
	var failed *Error
	if !errors.As(err, &failed) || !slices.Equal(failed.Cause.Stderr, []string{"first", "last"}) {
		t.Errorf("%v", err)
	}
	if len(aside) != 200 || !slices.Equal(logged, []string{"a first", "a last"}) {
		t.Errorf("%d aside, logged %q", len(aside), logged)
	}
}
