package tools

import (
	"errors"
	"fmt"
	"slices"

	"napback/internal/cli"
	"napback/napback/chain"
)

// Trouble returns what the errors of jobs have in common that failed because of one
// store in one way: it is missing, it denies access, it does not answer. It returns ""
// for an error that no tool has met which talks to the store.
func (s Store) Trouble(err error) string {
	var failed *chain.Error
	if !errors.As(err, &failed) || !slices.Contains([]string{"s3ls", "s3put", "s3rm", "s3get"}, failed.Cause.Stage) {
		return ""
	}
	says := failed.Cause.LastLine()
	if failed.Cause.Code == cli.Denied {
		says = "" // it names what was denied, which differs from job to job
	}
	return fmt.Sprintf("%s %s: %s", s.Access(), failed.Cause, says)
}
