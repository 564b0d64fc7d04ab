package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
)

// Explain gives the error of a chain the exit code and the hints of the program that
// caused it, and what a tool of the store has said of it stands alone. The error of a
// context that has ended becomes its cause.
func Explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	var failed *chain.Error
	if !errors.As(err, &failed) {
		return err
	}
	cause := failed.Cause
	if said := cause.Said(); err == error(failed) && said != "" && strings.HasPrefix(cause.Stage, "s3") {
		err = &told{failed, said}
	}
	for _, line := range cause.Stderr {
		if hint, ok := strings.CutPrefix(line, cause.Stage+": hint: "); ok {
			err = cli.WithHint(err, "%s", cli.Safe(hint))
		}
	}
	return cli.WithCode(exitCode(cause), err)
}

// told is an error in the words of the tool that had it.
type told struct {
	cause *chain.Error
	words string
}

func (e *told) Error() string { return e.words }
func (e *told) Unwrap() error { return e.cause }

// About says which bucket an error is about, unless it does so itself.
func About(bucket string, err error) error {
	if name := fmt.Sprintf("bucket %q", bucket); err != nil && !strings.Contains(err.Error(), name) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// exitCode maps how a stage failed to an exit code.
func exitCode(s chain.Status) int {
	said := strings.Join(s.Stderr, "\n")
	switch {
	case s.Stage == "s3ls" || s.Stage == "s3get" || s.Stage == "pgpipe" || s.Stage == "napback":
		if s.Code == cli.NotFound || s.Code == cli.Integrity {
			return s.Code
		}
	case s.Stage == "gpg":
		if strings.Contains(said, "manipulated") || strings.Contains(said, "no valid OpenPGP data") || strings.Contains(said, "checksum error") {
			return cli.Integrity
		}
		if strings.Contains(said, "No secret key") {
			return cli.NotFound
		}
	case programs.Decompresses(s.Stage) && s.Signal == "":
		// What it was given has been verified, so it was stored so.
		return cli.Integrity
	}
	return cli.Failed
}
