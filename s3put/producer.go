package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"

	"napback/internal/cli"
)

// openProducer returns the producer that the options name. It starts nothing.
func openProducer(o *options, std cli.Streams) (producer, error) {
	switch {
	case o.command != nil:
		return newCommandProducer(o.command, o.OKExit, std)
	case o.CommitFD != nil:
		return newCommitProducer(*o.CommitFD, std)
	}
	if cli.IsTerminal(std.In) {
		return nil, cli.WithHint(cli.UsageErrorf("standard input is a terminal"),
			"pipe something into s3put, or give it a command: s3put %s -- COMMAND", o.Address)
	}
	if cli.IsClosed(std.In) {
		// It would read as an empty stream and replace a good archive.
		return nil, cli.WithHint(cli.UsageErrorf("standard input is closed"),
			"pipe something into s3put; </dev/null stores an empty archive")
	}
	return plainProducer{std.In}, nil
}

// plainProducer is stdin that only the shell knows more of. Its end counts as
// success.
type plainProducer struct{ io.Reader }

func (plainProducer) start(context.Context) error { return nil }
func (plainProducer) finish(context.Context) (map[string]string, error) {
	return nil, nil
}
func (plainProducer) stop() {}

// commitProducer is stdin with a second descriptor that tells whether to commit:
// the line "commit", then optionally a JSON object of strings, then end of
// file. End of file without that line ends the put at once, because whoever held
// the other end is gone.
type commitProducer struct {
	io.Reader
	fd      *os.File
	message chan commitMessage
	abort   context.CancelCauseFunc // ends the put; set before start
}

type commitMessage struct {
	meta map[string]string
	err  error
}

// maxCommit is the longest commit message, in bytes.
const maxCommit = 64 << 10

func newCommitProducer(fd int, std cli.Streams) (*commitProducer, error) {
	if inherited(fd) {
		file := os.NewFile(uintptr(fd), "commit-fd")
		if _, err := file.Stat(); err == nil {
			return &commitProducer{Reader: std.In, fd: file, message: make(chan commitMessage, 1)}, nil
		}
	}
	return nil, cli.UsageErrorf("--commit-fd %d: not an open descriptor", fd)
}

// start begins to listen.
func (s *commitProducer) start(context.Context) error {
	go func() {
		meta, err := readCommit(s.fd)
		if err != nil {
			s.abort(err)
		}
		s.message <- commitMessage{meta, err}
	}()
	return nil
}

func (s *commitProducer) finish(ctx context.Context) (map[string]string, error) {
	select {
	case m := <-s.message:
		return m.meta, m.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *commitProducer) stop() {}

// readCommit reads a commit message to its end. Errors have the code
// cli.NotCommitted.
func readCommit(r io.Reader) (map[string]string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxCommit+1))
	line, rest, complete := bytes.Cut(data, []byte("\n"))
	switch {
	case err != nil:
		return nil, cli.Errorf(cli.NotCommitted, "not committed: read the commit descriptor: %w", err)
	case len(data) > maxCommit:
		return nil, cli.Errorf(cli.NotCommitted, "not committed: the commit message is longer than %s", cli.FormatSize(maxCommit))
	case len(data) == 0:
		return nil, cli.Errorf(cli.NotCommitted, "not committed: the commit descriptor ended without a commit")
	case !complete:
		return nil, cli.Errorf(cli.NotCommitted, "not committed: the commit descriptor ended in the middle of a line")
	case string(line) != "commit":
		return nil, cli.Errorf(cli.NotCommitted, "not committed: the commit descriptor said %q instead of \"commit\"", cli.Shorten(string(line), 40))
	}
	if rest = bytes.TrimSpace(rest); len(rest) == 0 {
		return nil, nil
	}
	var meta map[string]string
	if err := json.Unmarshal(rest, &meta); err != nil {
		return nil, cli.Errorf(cli.NotCommitted, "not committed: what follows \"commit\" is not a JSON object of strings: %w", err)
	}
	return meta, nil
}

// shared are the AWS_* variables that a command may see: they hold no secret,
// and do not tell where one is to be had.
var shared = []string{
	"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE",
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_EC2_METADATA_DISABLED", "AWS_DEFAULT_OUTPUT", "AWS_PAGER",
}

// withoutSecrets is an environment for a process that must not have the store's
// credentials. It is an allow-list, because the SDK learns new ways to them.
func withoutSecrets(env []string) []string {
	var kept []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		name = strings.ToUpper(name) // as Windows compares
		if !strings.HasPrefix(name, "AWS_") || slices.Contains(shared, name) {
			kept = append(kept, kv)
		}
	}
	return kept
}
