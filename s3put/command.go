package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"napback/internal/cli"
)

// stopTime is how long a command that has to end gets between SIGTERM and
// SIGKILL.
const stopTime = 5 * time.Second

// commandProducer is what a command writes on its stdout. It succeeded if the
// command exited with 0 or one of the allowed statuses.
type commandProducer struct {
	path    string
	args    []string
	allowed []int // exit statuses, besides 0
	std     cli.Streams

	cmd    *exec.Cmd
	out    *os.File // read end of the pipe that is its stdout
	cancel context.CancelFunc
	wait   func() error // waits once and remembers
}

// newCommandProducer looks the command up, so that a mistyped one is known
// before anything is started.
func newCommandProducer(args []string, allowed []int, std cli.Streams) (*commandProducer, error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			err = exec.ErrNotFound
		}
		return nil, cli.Errorf(cli.Usage, "command %q: %w", args[0], err)
	}
	return &commandProducer{path: path, args: args, allowed: allowed, std: std}, nil
}

func (s *commandProducer) start(ctx context.Context) error {
	out, in, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("pipe for %q: %w", s.args[0], err)
	}
	ctx, s.cancel = context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, s.path, s.args[1:]...)
	cmd.Args[0] = s.args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.std.In, in, s.std.Err
	cmd.Env = withoutSecrets(os.Environ())
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTime
	err = cmd.Start()
	in.Close()
	if err != nil {
		out.Close()
		if call, ok := errors.AsType[*os.PathError](err); ok {
			err = call.Err
		}
		return cli.Errorf(cli.NotCommitted, "not committed: start %q: %w", s.args[0], err)
	}
	s.cmd, s.out, s.wait = cmd, out, sync.OnceValue(cmd.Wait)
	return nil
}

func (s *commandProducer) Read(p []byte) (int, error) { return s.out.Read(p) }

func (s *commandProducer) finish(ctx context.Context) (map[string]string, error) {
	err := s.wait()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	state := s.cmd.ProcessState
	switch {
	case err == nil, state != nil && state.Exited() && slices.Contains(s.allowed, state.ExitCode()):
		return nil, nil
	case state != nil && state.Exited():
		return nil, cli.Errorf(cli.NotCommitted, "not committed: %q exited with status %d", s.args[0], state.ExitCode())
	}
	return nil, cli.Errorf(cli.NotCommitted, "not committed: %q: %w", s.args[0], err)
}

// stop closes the pipe, which tells a command that still writes. Then it ends the
// command and waits for it.
func (s *commandProducer) stop() {
	if s.cmd == nil {
		return
	}
	s.out.Close()
	s.cancel()
	_ = s.wait()
}
