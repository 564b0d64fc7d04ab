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
	nice, err := exec.CommandContext(t.Context(), "nice").Output()
	s.must(err)
	own, err := strconv.Atoi(strings.TrimSpace(string(nice)))
	s.must(err)
	if got := strings.TrimSpace(s.read(out)); got != fmt.Sprint(min(own+7, 19)) {
		t.Errorf("niceness %s, and %d without", got, own)
	}
	s.stored(day(0))
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

// The bucket is listed once to see whether there is anything to do, whoever wants to
// know it; but again after a program that may have mounted it.
func TestTheBucketIsListedOnceBeforeABackup(t *testing.T) {
	m := newMonitor(t)
	for _, c := range []struct {
		extra string
		want  int
	}{{"Timeout 1h", 1}, {"PingURL " + m.URL + "/job", 1}, {"RunBefore true", 2}} {
		s := newSite(t, c.extra)
		s.write("a", "1")
		calls := filepath.Join(s.dir, "calls")
		s.fake("s3ls", `echo call >>`+calls+`; exec "$REAL" "$@"`)
		s.napback(0, day(0))
		if got := strings.Count(s.read(calls), "\n"); got != c.want {
			t.Errorf("%s: listed %d times, want %d", c.extra, got, c.want)
		}
		if got := s.archives(); !slices.Equal(got, []string{"job-0-FULL"}) {
			t.Errorf("%s: archives %q", c.extra, got)
		}
	}
}
