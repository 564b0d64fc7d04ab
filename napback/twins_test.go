//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Before: the second was done today for ever, and only the first's data was stored.
func TestOneNameTwiceOnAHost(t *testing.T) {
	for name, diffs := range map[string]string{"one DiffDir": "diffs", "two DiffDirs": "more"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("f", "1")
			second := filepath.Join(s.dir, "second")
			s.must(os.MkdirAll(second, 0o755))
			s.must(os.MkdirAll(filepath.Join(s.dir, diffs), 0o755))
			s.must(os.WriteFile(filepath.Join(second, "g"), nil, 0o644))
			other := filepath.Join(s.dir, "other.conf")
			s.must(os.WriteFile(other, []byte(strings.NewReplacer(s.source, second, s.diffs, filepath.Join(s.dir, diffs)).Replace(s.read(s.conf))), 0o600))
			s.napback(0, day(0))
			if e := s.tool("napback", "-c", other, "status"); diffs == "diffs" && (e.code != 3 || !strings.Contains(e.out, "NEVER")) {
				t.Error(e) // that the first is well says nothing of the second
			}
			for n := range 10 {
				if e := s.tool("napback", "-c", other, "--date", day(n)); e.code != 3 || !strings.Contains(e.stderr, "are also those of") ||
					!strings.Contains(e.stderr, "Prefix or Name") || strings.Contains(e.out, "done today") || strings.Contains(e.stderr, "going on without it") ||
					n%4 == 2 && !strings.Contains(e.out, "-DIFF ") {
					t.Fatal(e)
				}
				s.write("f", fmt.Sprint(n))
				s.napback(3, day(n), "-f")
			}
			to := filepath.Join(s.dir, "out")
			if e := s.tool("napback", "-c", other, "restore", "--to", to, "job"); e.code != 0 {
				t.Fatal(e)
			}
			if d := difference(tree(t, second), tree(t, filepath.Join(to, second))); d != "" {
				t.Error(d)
			}
			s.cmd(0, "restore", "--to", to+"2", "job")
			if d := difference(tree(t, s.source), tree(t, filepath.Join(to+"2", s.source))); d != "" {
				t.Error(d)
			}
		})
	}
}

// Without napback too the archives of two owners are not mixed.
func TestTheScriptFollowsTheParents(t *testing.T) {
	s := newSite(t)
	s.write("f", "1")
	s.napback(0, day(0))
	s.nextSecond()
	second := filepath.Join(s.dir, "second")
	s.must(os.MkdirAll(filepath.Join(s.dir, "more"), 0o755))
	s.must(os.MkdirAll(second, 0o755))
	other := filepath.Join(s.dir, "other.conf")
	s.must(os.WriteFile(other, []byte(strings.NewReplacer(s.source, second, s.diffs, filepath.Join(s.dir, "more")).Replace(s.read(s.conf))), 0o600))
	if e := s.tool("napback", "-c", other, "--date", day(0)); e.code != 3 {
		t.Fatal(e)
	}
	s.nextSecond()
	s.write("g", "2")
	s.napback(3, day(1))
	script := func(status int, args ...string) string {
		t.Helper()
		args = append([]string{"../scripts/restore-without-napback.sh", filepath.Join(s.store, "bk"), "job"}, args...)
		cmd := exec.CommandContext(t.Context(), "sh", args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != status {
			t.Fatalf("%q: %v\n%s", args, cmd.ProcessState, out)
		}
		return string(out)
	}
	if out := script(2, t.TempDir()); !strings.Contains(out, "several owners") || !strings.Contains(out, "'"+s.record().Owner+"'") {
		t.Errorf("without an owner it says %s", out)
	}
	to := t.TempDir()
	script(0, to, s.record().Owner)
	if d := difference(tree(t, s.source), tree(t, filepath.Join(to, s.source))); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(filepath.Join(to, second)); err == nil {
		t.Error("the other owner's archive was extracted too")
	}
}

// TestTwoConfigurationsOfOneSource: with other excludes, on one
// DiffDir and under one name. Neither calls its day done because of the
// other or retires what the other has, and neither is silent about it.
func TestTwoConfigurationsOfOneSource(t *testing.T) {
	s := newSite(t)
	other := filepath.Join(s.dir, "other.conf")
	s.write("f", "1")
	s.write("log/big", "2")
	first := s.read(s.conf)
	s.must(os.WriteFile(other, []byte(strings.Replace(first, "Name job", "Name job\nExclude log\nCompression gzip", 1)), 0o600))
	for n := range 4 {
		s.napback(0, day(n))
	}
	before := strings.Count(s.tool("s3ls", "-r", "bk").out, "committed")
	for n := 4; n < 8; n++ {
		for i, conf := range []string{other, s.conf} {
			if e := s.tool("napback", "-c", conf, "--date", day(n)); e.code != 3 || strings.Contains(e.out, "done today") ||
				!strings.Contains(e.stderr, "give one of the two a Name of its own") {
				t.Error(n, i, e)
			}
		}
	}
	if after := strings.Count(s.tool("s3ls", "-r", "bk").out, "job-"); after < before+8 {
		t.Errorf("%d archives were %d: some are gone", after, before)
	}
	for n := range 4 {
		to := filepath.Join(s.dir, fmt.Sprint("to", n))
		s.cmd(0, "restore", "--at", day(n), "--to", to, "job")
		s.mustEqual(day(n), tree(t, s.source), filepath.Join(to, s.source))
	}
	if e := s.tool("napback", "-c", s.conf, "--date", day(8)); e.code != 0 {
		t.Error("alone again, it still warns:", e)
	}
}

// TestTwinsRemoveNothingOfEachOther: a copy of a machine, with its machine-id and
// host name, that was given an empty DiffDir goes on as the same owner. While both
// are alive each is told, and neither takes what the other's slots hold.
func TestTwinsRemoveNothingOfEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	twin := filepath.Join(s.dir, "twin.conf")
	s.write("f", "1")
	s.napback(0, day(0))
	s.must(os.Mkdir(filepath.Join(s.dir, "twin"), 0o700))
	s.must(os.WriteFile(twin, []byte(strings.Replace(s.read(s.conf), s.diffs, filepath.Join(s.dir, "twin"), 1)), 0o600))
	s.nextSecond()
	if e := s.tool("napback", "-c", twin, "--date", day(0)); e.code != 0 || !strings.Contains(e.stderr, "going on as owner") {
		t.Error(e)
	}
	const days = 9 // more than the eight slots
	for n := 1; n <= days; n++ {
		for _, conf := range []string{s.conf, twin} {
			// Nights are apart. Of runs of one second nobody knows which is newer.
			s.nextSecond()
			if e := s.tool("napback", "-c", conf, "--date", day(n)); e.code != 3 || !strings.Contains(e.stderr, "two machines share") {
				t.Error(n, conf, e)
			}
		}
	}
	if n := len(s.runs()); n != 2*(days+1) {
		t.Errorf("%d of %d archives are left", n, 2*(days+1))
	}
}
