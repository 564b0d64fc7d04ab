//go:build unix

package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"napback/internal/cli"
)

// script writes an executable and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// journal keeps what a hook printed.
type journal struct {
	mu    sync.Mutex
	lines []string
	first chan struct{} // closed by the line "ready"
}

func newJournal() *journal { return &journal{first: make(chan struct{})} }

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	if line == "ready" {
		close(j.first)
	}
}

func TestHookIsToldTheFactsAndNoSecret(t *testing.T) {
	j := newJournal()
	h := Hook{
		Argv: []string{script(t, `echo "args=$#:$1:$2"; env`), "one; two", "$HOME *"},
		Facts: Facts{Job: "home/build", Kind: "Directory", Source: "/home/build", Type: "DIFF", Slot: 3, Run: "R1",
			State: Failure, Error: "tar: exit\x00 status 2", Host: "web1"},
		Env: []string{"PATH=" + os.Getenv("PATH"), "HOME=/h", "AWS_SECRET_ACCESS_KEY=hidden", "AWS_PROFILE=hidden",
			"PGPASSWORD=hidden", "SMTP_PASSWORD=hidden", "NAPBACK_STATE=forged"},
		Log: j.add,
	}
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"args=2:one; two:$HOME *", "NAPBACK_JOB=home/build", "NAPBACK_KIND=Directory", "NAPBACK_SOURCE=/home/build",
		"NAPBACK_TYPE=DIFF", "NAPBACK_SLOT=3", "NAPBACK_RUN=R1", "NAPBACK_STATE=failure", "NAPBACK_ERROR=tar: exit status 2",
		"NAPBACK_HOST=web1", "HOME=/h", "LC_ALL=C"} {
		if !slices.Contains(j.lines, want) {
			t.Errorf("no %q in %q", want, j.lines)
		}
	}
	if all := strings.Join(j.lines, "\n"); strings.Contains(all, "hidden") || strings.Contains(all, "forged") || strings.Contains(all, "AWS_") {
		t.Errorf("too much in %q", all)
	}
	if env := (Facts{Slot: -1}).Environ(nil); !slices.Contains(env, "NAPBACK_SLOT=") || !slices.Contains(env, "NAPBACK_TYPE=") {
		t.Errorf("unknown facts: %q", env)
	}
}

func TestOutputIsLoggedInBoundedLines(t *testing.T) {
	j := newJournal()
	h := Hook{Argv: []string{script(t, `echo out; echo err >&2; head -c 10000 /dev/zero | tr '\0' x; echo; printf 'a\r\n\nlast'`)}, Log: j.add}
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", lineBytes) + "..."
	for _, want := range []string{"out", "err", long, "a", "", "last"} {
		if !slices.Contains(j.lines, want) {
			t.Errorf("no %.20q", want)
		}
	}
	if len(j.lines) != 6 {
		t.Errorf("%d lines", len(j.lines))
	}
	h.Log = nil // nobody listens, nobody blocks
	if err := h.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestFailuresAreErrors(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		argv []string
		want string
	}{
		{[]string{script(t, "echo cannot mount >&2; exit 3"), "x"}, `a hook x": a hook: exit status 3: cannot mount`},
		{[]string{script(t, "kill -9 $$")}, "killed by SIGKILL"},
		{[]string{"no-such-program"}, `hook "no-such-program": executable file not found`},
		{[]string{"/no/such/program"}, "no such file"},
		{[]string{plain}, "permission denied"},
	}
	for _, c := range cases {
		if err := (Hook{Argv: c.argv}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.argv, err, c.want)
		}
	}
	if err := (Hook{}).Run(t.Context()); err != nil {
		t.Errorf("no hook: %v", err)
	}
	if err := (Hook{Argv: []string{"true"}}).Run(t.Context()); err != nil {
		t.Errorf("true: %v", err)
	}
}

// pids reads the numbers that a hook has written to a file.
func pids(t *testing.T, path string) []int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		all = append(all, pid)
	}
	return all
}

// awaitEnd returns when a process has ended, be it that nobody has waited for it.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	t.Logf("process %d has to end", pid)
	for range time.Tick(time.Millisecond) {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, state, ok := strings.Cut(string(stat), ") "); err == nil && ok && state[0] == 'Z' {
			return
		}
	}
}

func TestEndOfContextEndsTheHookAndItsChildren(t *testing.T) {
	stubborn := `trap '' TERM; `
	cases := []struct{ name, text string }{
		{"obedient", `sleep 600 & echo $! >>"$1"; echo ready; wait`},
		{"ignores SIGTERM", stubborn + `echo ready; while :; do sleep 0.1; done`},
		{"children that ignore it too", stubborn + `sh -c 'trap "" TERM; echo $$ >>"$1"; sleep 600 & echo $! >>"$1"; echo ready; while :; do wait; done' sh "$1" & while :; do wait; done`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pids")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			stopped := errors.New("stopped")
			ctx, cancel := context.WithCancelCause(t.Context())
			j := newJournal()
			go func() { <-j.first; cancel(stopped) }()
			h := Hook{Argv: []string{script(t, `echo $$ >>"$1"; `+c.text), file}, Log: j.add, Grace: 100 * time.Millisecond}
			if err := h.Run(ctx); !errors.Is(err, stopped) {
				t.Errorf("err = %v", err)
			}
			all := pids(t, file)
			if len(all) == 0 {
				t.Fatal("no process has told its number")
			}
			for _, pid := range all {
				awaitEnd(t, pid)
			}
		})
	}
}

func TestEndedContextRunsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(t.TempDir(), "ran")
	if err := (Hook{Argv: []string{"touch", file}}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("it ran")
	}
}

func TestDaemonLeftBehindIsNotWaitedFor(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	j := newJournal()
	h := Hook{Argv: []string{script(t, `sleep 600 & echo $! >"$1"; echo started`), file}, Log: j.add}
	if err := h.Run(t.Context()); err != nil {
		t.Errorf("err = %v", err)
	}
	daemon := pids(t, file)
	if err := syscall.Kill(daemon[0], 0); err != nil {
		t.Errorf("the daemon is gone: %v", err)
	}
	if fmt.Sprint(j.lines) != "[started]" {
		t.Errorf("logged %q", j.lines)
	}
}

func TestAProgramThatOthersCanWriteIsNotRun(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"file":      func(path string) error { return os.Chmod(path, 0o777) },
		"directory": func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) },
	} {
		t.Run(name, func(t *testing.T) {
			path := script(t, "touch \"$1\"")
			ran := filepath.Join(t.TempDir(), "ran")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			err := Hook{Argv: []string{path, ran}}.Run(t.Context())
			if cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "can be written by everyone") {
				t.Errorf("err = %v", err)
			}
			if _, err := os.Stat(ran); err == nil {
				t.Error("it ran")
			}
		})
	}
}

func TestAHookReadsWhatItIsGivenIfItWants(t *testing.T) {
	j := newJournal()
	long := []byte(strings.Repeat("all of it\n", 100_000)) // more than a pipe holds
	if err := (Hook{Argv: []string{script(t, "wc -c")}, Stdin: long, Log: j.add}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := (Hook{Argv: []string{script(t, "wc -c")}, Log: j.add}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(j.lines) != 2 || strings.TrimSpace(j.lines[0]) != strconv.Itoa(len(long)) || strings.TrimSpace(j.lines[1]) != "0" {
		t.Errorf("hooks have read %q bytes", j.lines)
	}
	for _, text := range []string{"exit 0", "exec <&-; exit 0", "read line"} {
		if err := (Hook{Argv: []string{script(t, text)}, Stdin: long}).Run(t.Context()); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
