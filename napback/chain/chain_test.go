//go:build unix

package chain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"napback/internal/cli"
	"napback/internal/shell"
)

// sh is a stage that runs a shell script, the shortest way to a real process
// that behaves as a test needs.
func sh(name, script string, args ...string) Stage {
	return Stage{Name: name, Path: "/bin/sh", Args: append([]string{"-c", script, name}, args...), Env: Environ(os.Environ())}
}

// sink is a stage that speaks the commit protocol: it stores its input as the
// file $1 only after a commit, whose second line goes to $1.extra.
func sink(file string) Stage {
	return sh("sink", `
		echo "b:n:RUN1"
		cat >"$1.part" || exit 1
		read -r word <&3 || { rm "$1.part"; exit 6; }
		[ "$word" = commit ] || exit 6
		read -r extra <&3 && printf %s "$extra" >"$1.extra"
		mv "$1.part" "$1"`, file)
}

func agree(string, []Status) (map[string]string, error) { return map[string]string{"k": "v"}, nil }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestDataFlowsThroughEveryStage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := Chain{Stages: []Stage{
		sh("make", `i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done`),
		sh("upper", "tr a-z A-Z"), sh("last", "tail -n 1")}, Out: f}
	status, err := c.Run(t.Context())
	got, _ := os.ReadFile(out)
	if err != nil || string(got) != "LINE 19999\n" || Summary(status) != "make 0, upper 0, last 0" {
		t.Fatalf("got %q, %v, %v", got, err, Summary(status))
	}
}

func TestCommitOnlyAfterEveryStageSucceeded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stored")
	var named string
	var upstream []Status
	c := Chain{Stages: []Stage{sh("make", "echo data; exec >&-; sleep 0.2"), sh("pass", "cat"), sink(file)},
		Commit: func(announced string, ended []Status) (map[string]string, error) {
			if exists(file) {
				t.Error("stored before the commit")
			}
			named, upstream = announced, ended
			return map[string]string{"stages": Summary(ended), "odd": "a\nb"}, nil
		}}
	_, err := c.Run(t.Context())
	got, _ := os.ReadFile(file)
	extra, _ := os.ReadFile(file + ".extra")
	if err != nil || string(got) != "data\n" || named != "b:n:RUN1" || len(upstream) != 2 {
		t.Fatalf("err %v, stored %q, named %q, upstream %v", err, got, named, upstream)
	}
	if string(extra) != `{"odd":"a\nb","stages":"make 0, pass 0"}` {
		t.Errorf("extra = %s", extra)
	}
}

// Whatever the producer does, short of success, nothing is stored.
func TestNothingIsStoredAfterAFailureUpstream(t *testing.T) {
	for name, c := range map[string]struct{ make, pass, want string }{
		"fails at once":            {"echo oops >&2; exit 3", "cat", "make: exit status 3: oops"},
		"fails after its output":   {"echo data; exec >&-; sleep 0.3; exit 1", "cat", "make: exit status 1"},
		"killed in the middle":     {"echo data; kill -9 $$", "cat", "make: killed by SIGKILL"},
		"filter fails":             {"while echo data; do :; done", "read -r x; echo bad key >&2; exit 2", "pass: exit status 2: bad key"},
		"filter closes its output": {"echo data", "cat >/dev/null; exec >&-; sleep 0.3; exit 9", "pass: exit status 9"},
		"reader ends too early":    {"while echo data; do :; done", "exit 0", "make: killed by SIGPIPE"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "stored")
			chain := Chain{Stages: []Stage{sh("make", c.make), sh("pass", c.pass), sink(file)}, Commit: func(string, []Status) (map[string]string, error) {
				t.Error("was asked to commit")
				return nil, nil
			}}
			status, err := chain.Run(t.Context())
			var failed *Error
			if !errors.As(err, &failed) || err.Error() != c.want {
				t.Errorf("error = %v; want %s", err, c.want)
			}
			if exists(file) || exists(file+".part") {
				t.Error("the sink stored something")
			}
			if len(status) != 3 || status[2].Code != 6 {
				t.Errorf("status = %s; want the sink to end with 6", Summary(status))
			}
		})
	}
}

func TestASinkThatDiesIsTheCauseAndItsWritersAreNot(t *testing.T) {
	for name, script := range map[string]string{
		"dies of SIGPIPE":  "while echo data; do :; done",
		"ignores SIGPIPE":  "trap '' PIPE; while echo data; do :; done 2>/dev/null; echo 'write error: Broken pipe' >&2; exit 1",
		"waits and writes": "echo data; sleep 0.2; echo data; sleep 0.1; while echo data; do :; done",
	} {
		t.Run(name, func(t *testing.T) {
			c := Chain{Stages: []Stage{sh("make", script), sh("sink", `echo b:n:R; read -r x; echo "sink: error: disk full" >&2; echo "sink: hint: buy one" >&2; exit 1`)},
				Commit: agree}
			_, err := c.Run(t.Context())
			if err == nil || err.Error() != "sink: disk full" {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestFirstFailureInTimeIsTheCause(t *testing.T) {
	c := Chain{Stages: []Stage{sh("a", "sleep 0.5; exit 1"), sh("b", "exit 2")}}
	status, err := c.Run(t.Context())
	if err == nil || err.Error() != "b: exit status 2" || Summary(status) != "a 1, b 2" {
		t.Errorf("error = %v, %s", err, Summary(status))
	}
	c = Chain{Stages: []Stage{sh("a", "exit 5"), sh("b", "cat; echo truncated >&2; exit 1"), sh("c", "cat; echo truncated >&2; exit 1")}}
	if _, err = c.Run(t.Context()); err == nil || err.Error() != "a: exit status 5" {
		t.Errorf("error = %v", err)
	}
}

func TestAcceptedStatusIsSuccess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stored")
	warn := sh("make", "echo data; echo changed >&2; exit 1")
	warn.Accept = func(s Status) bool { return s.Code == 1 && s.LastLine() == "changed" }
	status, err := (&Chain{Stages: []Stage{warn, sink(file)}, Commit: agree}).Run(t.Context())
	if err != nil || !exists(file) || status[0].Failed || status[0].Code != 1 {
		t.Errorf("err %v, stored %v, %s", err, exists(file), Summary(status))
	}
	warn.Accept = func(s Status) bool { return s.Code == 2 }
	if _, err = (&Chain{Stages: []Stage{warn, sink(file + "2")}, Commit: agree}).Run(t.Context()); err == nil || exists(file+"2") {
		t.Errorf("err %v, stored %v", err, exists(file+"2"))
	}
}

func TestARefusedCommitStoresNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stored")
	full := errors.New("disk full")
	_, err := (&Chain{Stages: []Stage{sh("make", "echo data"), sink(file)},
		Commit: func(string, []Status) (map[string]string, error) { return nil, full }}).Run(t.Context())
	if !errors.Is(err, full) || exists(file) || exists(file+".part") {
		t.Errorf("err %v, stored %v", err, exists(file))
	}
}

func TestASinkThatNeverNamesItsRunIsNotCommitted(t *testing.T) {
	_, err := (&Chain{Stages: []Stage{sh("make", "echo data"), sh("sink", "cat >/dev/null")}, Commit: agree}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sink ended without") {
		t.Errorf("err %v", err)
	}
}

func TestStderrIsAttributedBoundedAndWhole(t *testing.T) {
	var mu sync.Mutex
	lines := map[string][]string{}
	c := Chain{Stages: []Stage{
		sh("a", `i=0; while [ $i -lt 200 ]; do echo "n $i" >&2; i=$((i+1)); done; printf 'no end' >&2; exit 1`),
		sh("b", `head -c 100000 /dev/zero | tr '\0' x >&2; printf '\r\nlast\n' >&2`)},
		Log: func(stage, line string) { mu.Lock(); lines[stage] = append(lines[stage], line); mu.Unlock() }}
	status, err := c.Run(t.Context())
	if err == nil || err.Error() != "a: exit status 1: no end" {
		t.Errorf("err = %v", err)
	}
	if len(lines["a"]) != 201 || lines["a"][0] != "n 0" || lines["a"][200] != "no end" {
		t.Errorf("a: %d lines", len(lines["a"]))
	}
	if len(lines["b"]) != 2 || len(lines["b"][0]) != lineBytes+3 || lines["b"][1] != "last" {
		t.Errorf("b: %d lines, first of %d bytes", len(lines["b"]), len(lines["b"][0]))
	}
	if got := status[0].Stderr; len(got) != tailLines || got[0] != "n 151" || got[tailLines-1] != "no end" {
		t.Errorf("kept %d lines from %q", len(got), got[0])
	}
}

func TestCancelEndsEveryStageAndTheirChildren(t *testing.T) {
	dir := t.TempDir()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	started := make(chan struct{})
	up := 0
	c := Chain{
		Stages: []Stage{
			sh("stubborn", `trap '' TERM; sleep 600 & echo $! >"$1/pid"; echo up >&2; while :; do wait; done`, dir),
			sh("sink", `echo b:n:R; trap 'echo cleaned >"$1/cleaned"; exit 6' TERM; echo up >&2; while :; do sleep 0.05; done`, dir)},
		Commit: agree, Grace: 300 * time.Millisecond,
		Log: func(string, string) { // both are ready for signals
			if up++; up == 2 {
				close(started)
			}
		},
	}
	go func() { <-started; cancel(stopped) }()
	status, err := c.Run(ctx)
	if !errors.Is(err, stopped) {
		t.Errorf("err = %v", err)
	}
	if status[0].Signal != "SIGKILL" || status[1].Code != 6 || !exists(filepath.Join(dir, "cleaned")) {
		t.Errorf("ended as %s, sink cleaned up: %v", Summary(status), exists(filepath.Join(dir, "cleaned")))
	}
	text, _ := os.ReadFile(filepath.Join(dir, "pid"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if !gone(pid) {
		t.Errorf("grandchild %d is still running", pid)
	}
}

// gone waits for a process that has been killed to be dead or a zombie.
func gone(pid int) bool {
	for range 200 {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			if syscall.Kill(pid, 0) != nil {
				return true
			}
		} else if _, after, ok := strings.Cut(string(stat), ") "); ok && after[0] == 'Z' {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

// A producer that hangs without writing would never notice that the sink is
// gone.
func TestASilentProducerIsEndedAfterTheSinkFailed(t *testing.T) {
	c := Chain{Stages: []Stage{sh("silent", "exec sleep 600"), sh("sink", "echo b:n:R; exit 4")}, Commit: agree, Grace: 100 * time.Millisecond}
	status, err := c.Run(t.Context())
	if err == nil || err.Error() != "sink: exit status 4" || status[0].Signal != "SIGTERM" {
		t.Errorf("err %v, %s", err, Summary(status))
	}
}

func TestADaemonLeftBehindDoesNotHoldTheChain(t *testing.T) {
	c := Chain{Stages: []Stage{sh("leaver", "sleep 30 >/dev/null & exit 0")}}
	if _, err := c.Run(t.Context()); err != nil {
		t.Errorf("err = %v", err)
	}
}

func TestAProgramThatCannotStartEndsTheOthers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stored")
	c := Chain{Stages: []Stage{sh("make", "exec sleep 600"), {Name: "zstd", Path: "/nonexistent/zstd"}, sink(file)}, Commit: agree, Grace: 100 * time.Millisecond}
	status, err := c.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "start zstd (/nonexistent/zstd): no such file") || len(status) != 1 || exists(file) {
		t.Errorf("err %v, %s", err, Summary(status))
	}
	if _, err = (&Chain{Stages: c.Stages[1:2]}).Run(t.Context()); err == nil {
		t.Error("a chain without a process succeeded")
	}
}

func TestNoStageInheritsAnotherDescriptor(t *testing.T) {
	descriptors := func(before ...Stage) string {
		out, err := os.Create(filepath.Join(t.TempDir(), "fds"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		c := Chain{Stages: append(before, sh("fds", "i=0; while [ $i -lt 64 ]; do [ -e /dev/fd/$i ] && echo $i; i=$((i+1)); done; cat >/dev/null")), Out: out}
		if _, err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(out.Name())
		return string(got)
	}
	alone := descriptors() // what the test itself was started with
	if got := descriptors(sh("a", ":"), sh("b", "cat")); got != alone || !strings.HasPrefix(got, "0\n1\n2\n") {
		t.Errorf("descriptors %q; alone %q", got, alone)
	}
}

func TestOnlyWhoNeedsThemGetsSecrets(t *testing.T) {
	base := []string{"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "TAR_OPTIONS=--exclude=*", "GZIP=-1", "LC_ALL=de_DE", "MYSQL_PWD=y", "HOME=/root"}
	if got := strings.Join(Environ(base), " "); got != "PATH=/bin HOME=/root LC_ALL=C" {
		t.Errorf("Environ = %s", got)
	}
	if got := strings.Join(Environ(base, "AWS_*"), " "); got != "PATH=/bin AWS_SECRET_ACCESS_KEY=x HOME=/root LC_ALL=C" {
		t.Errorf("Environ AWS_* = %s", got)
	}
	store := []string{
		"AWS_PROFILE=p", "AWS_CONTAINER_AUTHORIZATION_TOKEN=t", "https_proxy=http://proxy", "NO_PROXY=*", "SSL_CERT_FILE=/ca",
		"LANG=de_DE", "XDG_CONFIG_HOME=/c", "HOME=/root",
	}
	secrets := []string{
		"PGPASSWORD=a", "PGPASSFILE=b", "MYSQL_PWD=c", "MARIADB_PASSWORD=d", "PASSPHRASE=e", "RESTIC_PASSWORD=f", "GH_TOKEN=g",
		"AWSOME=h", "LD_PRELOAD=i",
	}
	if got := Environ(append(secrets, store...), Store()...); strings.Join(got, " ") != strings.Join(store, " ")+" LC_ALL=C" {
		t.Errorf("a tool that talks to the store gets %q", got)
	}
}

func TestQuotedWordsComeBackFromAShell(t *testing.T) {
	words := []string{"plain", "", "two words", "it's", "$HOME `x` \"y\"", "new\nline", "*?[", "-o", "\xff\x80", "~", "a=b", "#",
		"\x1b[2J it's \u009b31m\x9b \u202eevil\u2028 \t\x7f %s \\", "\ufffd \x1b", "\x1b\nend\n"}
	for line := range strings.SplitSeq(shell.Quote(words...), "\n") {
		if cli.Safe(line) != strings.ReplaceAll(line, "\ufffd", "?") {
			t.Errorf("a terminal would obey %q", line)
		}
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "words"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	c := Chain{Stages: []Stage{{Name: "sh", Path: "/bin/sh", Args: []string{"-c", `printf '%s\0' ` + shell.Quote(words...)}, Env: Environ(os.Environ())}}, Out: out}
	if _, err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(out.Name())
	if string(got) != strings.Join(words, "\x00")+"\x00" {
		t.Errorf("shell read %q", got)
	}
	if line := (&Chain{Stages: []Stage{{Path: "/bin/tar", Args: []string{"-c", "a b"}}, {Path: "zstd"}}}).String(); line != "/bin/tar -c 'a b' | zstd" {
		t.Errorf("line = %s", line)
	}
}
