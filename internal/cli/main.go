package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ sig os.Signal }

func (e *signalError) Error() string {
	switch e.sig {
	case os.Interrupt:
		return "interrupted by SIGINT"
	case syscall.SIGTERM:
		return "interrupted by SIGTERM"
	case syscall.SIGHUP:
		return "interrupted by SIGHUP"
	}
	return fmt.Sprintf("interrupted by %v", e.sig)
}

// status is what a shell reports for a process that the signal ended.
func (e *signalError) status() int {
	if n, ok := e.sig.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return Failed
}

// Main runs a tool and exits. The context that run gets ends on the first
// SIGINT, SIGTERM or SIGHUP, so that it can clean up; a second one kills the
// process. SIGHUP stays ignored where nohup has ignored it.
func Main(tool string, run func(ctx context.Context, args []string, std Streams) error) {
	os.Exit(runMain(tool, os.Args[1:], std(), run))
}

// collectAt is the memory in bytes of MainCollecting.
const collectAt = 128 << 20

// MainCollecting is Main for a tool that holds what others have made, such as what
// a hostile bucket answers, or a large keyring. From 128 MiB on garbage is collected
// at once: else that would take twice its size.
func MainCollecting(tool string, run func(ctx context.Context, args []string, std Streams) error) {
	debug.SetMemoryLimit(collectAt)
	Main(tool, run)
}

func runMain(tool string, args []string, std Streams, run func(context.Context, []string, Streams) error) int {
	ctx, stop := notifyContext(context.Background())
	defer stop()
	err := run(ctx, args, std)
	if err != nil && ctx.Err() != nil {
		// The signal is why it failed, whatever was cut short by it.
		if cause := context.Cause(ctx); !errors.Is(err, cause) {
			if !errors.Is(err, context.Canceled) {
				PrintError(std.Err, tool, err)
			}
			err = cause
		}
	}
	PrintError(std.Err, tool, err)
	return ExitStatus(err)
}

func notifyContext(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, signals...)
	done := make(chan struct{})
	go func() {
		select {
		case sig := <-ch:
			signal.Stop(ch) // the next one has its usual effect
			cancel(&signalError{sig})
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}
