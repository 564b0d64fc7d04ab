//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// program makes a shell script and returns its path.
func (s *site) program(name, script string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	s.must(os.WriteFile(path, []byte("#!/bin/bash\n"+script+"\n"), 0o755))
	return path
}

func (s *site) read(path string) string {
	s.t.Helper()
	data, err := os.ReadFile(path)
	s.must(err)
	return string(data)
}

// diary makes a hook that writes down each call, and returns its path and what
// reads the calls and forgets them.
func (s *site) diary() (hook string, calls func() []string) {
	file := filepath.Join(s.dir, "diary")
	hook = s.program("hook", `echo "$1 $NAPBACK_JOB $NAPBACK_KIND $NAPBACK_SOURCE ${NAPBACK_TYPE:--} ${NAPBACK_SLOT:--} $NAPBACK_STATE $NAPBACK_ERROR" >>`+file)
	return hook, func() []string {
		data, _ := os.ReadFile(file)
		_ = os.Remove(file)
		calls := strings.Split(strings.TrimSpace(string(data)), "\n")
		for i := range calls {
			calls[i] = strings.TrimSpace(calls[i])
		}
		return calls
	}
}

// around are the directives for a hook in all places.
func around(hook string) string {
	return fmt.Sprintf("RunBefore %s before\nRunAfter %s after\nRunOnFailure %[1]s failure\n", hook, hook)
}

func TestHooksRunAroundABackupAndNothingElse(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	hook, calls := s.diary()
	s.configure(around(hook) + s.block())
	expect := func(want ...string) {
		t.Helper()
		for i := range want {
			want[i] = strings.TrimSpace(strings.ReplaceAll(want[i], "SRC", "job Directory "+s.source))
		}
		if got := calls(); !slices.Equal(got, want) {
			t.Errorf("calls %q; want %q", got, want)
		}
	}
	s.napback(0, day(0))
	expect("before SRC - - started ", "after SRC FULL 0 success ")
	s.napback(0, day(0)) // done
	expect("")
	s.napback(0, day(1), "-t")
	expect("")
	s.write("b", "2")
	s.fake("tar", `"$REAL" "$@"; [ "$1" = --version ] || { echo "tar: ./x: file changed as we read it" >&2; exit 1; }`)
	s.napback(3, day(1))
	expect("before SRC - - started ", "after SRC DIFF 1 warning ")
	s.real()
	s.fake("zstd", `cat >/dev/null; echo no memory >&2; exit 1`)
	s.napback(1, day(2))
	if got := calls(); len(got) != 2 || !strings.Contains(got[1], "failure job") || !strings.Contains(got[1], "DIFF 2 failure ") || !strings.Contains(got[1], "no memory") {
		t.Errorf("calls %q", got)
	}
	s.real()
	s.configure(around(hook) + s.block("Frequency 1000"))
	s.napback(0, day(2)) // not due
	expect("")
}

func TestRunBeforeMakesTheSource(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.must(os.Rename(s.source, s.source+".hidden"))
	mount := s.program("mount", `mv "$1.hidden" "$1"`)
	unmount := s.program("unmount", `mv "$1" "$1.hidden"`)
	s.configure(fmt.Sprintf("RunBefore %s %s\nRunAfter %s %[2]s\n", mount, s.source, unmount) + s.block())
	s.napback(0, day(0))
	s.wantArchives("job-0-FULL")
	if _, err := os.Stat(filepath.Join(s.source+".hidden", "a")); err != nil {
		t.Error(err)
	}
}

func TestAFailingRunBeforeFailsTheJobAlone(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	hook, calls := s.diary()
	no := s.program("no", "echo the disk is away >&2; exit 4")
	s.configure("RunOnFailure " + hook + " failure\n" + s.block("RunBefore "+no) + "<Directory " + s.source + "/>\nName other\n</Directory>\n")
	e := s.napback(1, day(0))
	if !strings.Contains(e.stderr, "napback: error: Directory "+s.source+": RunBefore: ") || !strings.Contains(e.stderr, "the disk is away") {
		t.Error(e)
	}
	s.wantArchives("other-0-FULL")
	if got := calls(); len(got) != 1 || !strings.HasPrefix(got[0], "failure job ") || !strings.Contains(got[0], "the disk is away") {
		t.Errorf("calls %q", got)
	}
}

func TestAFailingRunAfterIsAWarning(t *testing.T) {
	s := newSite(t, "RunAfter "+"false")
	s.write("a", "1")
	if e := s.napback(3, day(0)); !strings.Contains(e.stderr, "warning: Directory "+s.source+": RunAfter: ") {
		t.Error(e)
	}
	s.wantArchives("job-0-FULL")
}

func TestTimeoutEndsAJobThatHangs(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	hook, calls := s.diary()
	s.configure("RunOnFailure " + hook + " failure\n" + s.block("Timeout 300ms") + "<Directory " + s.source + ">\nName other\nCompression none\n</Directory>\n")
	s.fake("zstd", "exec sleep 1000")
	e := s.napback(1, day(0))
	if !strings.Contains(e.stderr, "error: Directory "+s.source+": not done within 300ms, its Timeout\n") || !strings.Contains(e.out, "FAILED") {
		t.Error(e)
	}
	s.wantArchives("other-0-FULL")
	if s.incomplete() != 0 {
		t.Error("something is left in the bucket")
	}
	if got := calls(); len(got) != 1 || !strings.Contains(got[0], "its Timeout") {
		t.Errorf("calls %q", got)
	}
	s.configure(s.block("Timeout 1ms", "RunBefore sleep 1000"))
	if e := s.napback(1, day(1)); !strings.Contains(e.stderr, "its Timeout") {
		t.Error(e)
	}
}

func TestRunOnFailureRunsAfterASignal(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	hook, calls := s.diary()
	s.configure(around(hook) + s.block())
	s.fake("zstd", "kill -INT $PPID; exec sleep 1000")
	e := s.tool("napback", "-c", s.conf, "--date", day(0))
	if e.code != 130 || !strings.Contains(e.out, "interrupted") {
		t.Error(e)
	}
	if got := calls(); len(got) != 2 || !strings.Contains(got[1], "FULL 0 failure interrupted by SIGINT") {
		t.Errorf("calls %q", got)
	}
}

func TestNiceLowersEveryStage(t *testing.T) {
	s := newSite(t, "Nice 7")
	s.write("a", "1")
	plan := s.napback(0, day(0), "-t").out
	for _, stage := range []string{"tar", "zstd", "s3put"} {
		found := false
		for _, part := range strings.Split(plan, " | ") {
			found = found || strings.Contains(part, "/nice -n 7 ") && strings.Contains(part, "/"+stage+" ")
		}
		if !found {
			t.Errorf("%s has no nice in %s", stage, plan)
		}
	}
	out := filepath.Join(s.dir, "nice")
	s.fake("zstd", `nice >`+out+`; exec "$REAL" "$@"`)
	s.napback(0, day(0))
	s.real()
	own, err := strconv.Atoi(strings.TrimSpace(s.run("nice")))
	s.must(err)
	if got := strings.TrimSpace(s.read(out)); got != fmt.Sprint(min(own+7, 19)) {
		t.Errorf("niceness %s, and %d without", got, own)
	}
	s.stored(day(0))
}

// run runs a program of the system and returns its stdout.
func (s *site) run(name string, args ...string) string {
	s.t.Helper()
	out, err := exec.CommandContext(s.t.Context(), name, args...).Output()
	s.must(err)
	return string(out)
}

// monitor is a service for pings, which notes METHOD PATH, without the id of
// the run.
type monitor struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []string
	bodies  []string
	refuses bool
}

// refuse makes it deny every call from now on.
func (m *monitor) refuse() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuses = true
}

func newMonitor(t *testing.T) *monitor {
	m := &monitor{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.refuses {
			w.WriteHeader(http.StatusNotFound)
		}
		m.calls, m.bodies = append(m.calls, r.URL.Path), append(m.bodies, string(body))
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *monitor) heard() (calls, bodies []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	calls, bodies, m.calls, m.bodies = m.calls, m.bodies, nil, nil
	return calls, bodies
}

func TestPingsOfTheRunAndOfJobs(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	m := newMonitor(t)
	s.configure("PingURL " + m.URL + "/run\n" + s.block() + "<Cycle c>\nPingURL " + m.URL + "/job\nDirectory " + s.diffs + "\n</Cycle>\n")
	expect := func(want ...string) []string {
		t.Helper()
		calls, bodies := m.heard()
		if !slices.Equal(calls, want) {
			t.Errorf("calls %q; want %q", calls, want)
		}
		return bodies
	}
	s.napback(0, day(0))
	bodies := expect("/run/start", "/job/start", "/job", "/run")
	if len(bodies) == 4 && (!strings.Contains(bodies[3], "job-0-FULL") || !strings.Contains(bodies[2], "Directory "+s.diffs+": ok")) {
		t.Errorf("bodies %q", bodies)
	}
	s.napback(0, day(0)) // done: the job says nothing, the run does
	expect("/run/start", "/run")
	s.fake("s3put", `echo "s3put: error: disk full" >&2; exit 1`)
	s.napback(1, day(1))
	bodies = expect("/run/start", "/job/start", "/job/fail", "/run/fail")
	if len(bodies) == 4 && (!strings.Contains(bodies[2], "disk full") || !strings.Contains(bodies[3], "FAILED")) {
		t.Errorf("bodies %q", bodies)
	}
	s.real()
	m.refuse()
	if e := s.napback(0, day(1)); !strings.Contains(e.stderr, "warning: the ping did not go out") || strings.Contains(e.stderr, "/run") {
		t.Error(e)
	}
}
