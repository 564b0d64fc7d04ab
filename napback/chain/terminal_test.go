//go:build linux

package chain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A stage that asks its terminal for a password would wait for ever, or be
// stopped. script(1) gives the chain a terminal that it must not use.
func TestAStageWithoutATerminalCannotAsk(t *testing.T) {
	if os.Getenv("CHAIN_ASKS") != "" {
		ask := sh("ask", `if read -r answer </dev/tty; then echo "asked"; else echo "could not ask"; fi`)
		ask.NoTerminal = true
		c := Chain{Stages: []Stage{ask, sh("pass", "cat")}, Out: os.Stdout}
		if _, err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return
	}
	cmd := exec.Command("script", "-qec", os.Args[0]+" -test.run=^TestAStageWithoutATerminalCannotAsk$ -test.v", os.DevNull)
	cmd.Env = append(os.Environ(), "CHAIN_ASKS=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "could not ask") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestCancelEndsStagesWithoutATerminalAndTheirChildren(t *testing.T) {
	started := filepath.Join(t.TempDir(), "started")
	ask := sh("ask", `sleep 300 & echo $! >"$1.new"; mv "$1.new" "$1"; wait`, started)
	ask.NoTerminal = true
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !exists(started) {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	c := Chain{Stages: []Stage{ask, sh("pass", "cat")}}
	if _, err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	child, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	for {
		state, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return // gone, or waiting for its parent to notice
		}
		time.Sleep(10 * time.Millisecond)
	}
}
