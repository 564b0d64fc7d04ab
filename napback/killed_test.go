//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/napback/state"
)

// napback dies by SIGKILL: before the upload has ended, after it has asked for
// the commit that then fails, and after the commit.
func TestKilledNapbackLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		after  []string // what is committed then
	}{
		"while s3put starts":      {`kill -9 $PPID; exec "$REAL" "$@"`, []string{"job-0-FULL"}},
		"while s3put reads":       {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; kill -9 $PPID; exit 6`, []string{"job-0-FULL"}},
		"before s3put commits":    {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; cat <&3 >/dev/null; kill -9 $PPID; exit 1`, []string{"job-0-FULL"}},
		"after s3put committed":   {`"$REAL" "$@"; kill -9 $PPID`, []string{"job-0-FULL", "job-1-DIFF"}},
		"s3put killed at its end": {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; cat <&3 >/dev/null; kill -9 $$`, []string{"job-0-FULL"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("a", "1")
			s.napback(0, day(0))
			s.write("b", "2")
			s.fake("s3put", c.script)
			if e := s.tool("napback", "-c", s.conf, "--date", day(1)); e.code == 0 {
				t.Fatal(e)
			}
			s.real()
			for range 200 { // s3put may outlive napback a moment
				if slices.Equal(s.archives(), c.after) && s.incomplete() == 0 {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			s.wantArchives(c.after...)
			s.mustRestore(day(0), func() map[string]string { // still restores
				return tree(t, s.restore(day(0)))
			}())
			s.write("c", "3")
			s.napback(0, day(2))
			s.stored(day(2))
			if r := s.record(); r.Pending != nil {
				t.Errorf("still pending: %+v", r.Pending)
			}
			if files, _ := filepath.Glob(filepath.Join(s.diffs, "*@*")); len(files) != 2 {
				t.Errorf("files left: %q", files)
			}
		})
	}
}

// incomplete counts the runs that are not committed.
func (s *site) incomplete() int {
	return strings.Count(s.tool("s3ls", "-r", "bk").out, "incomplete")
}

func TestAFailedUploadChangesNothing(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	for n := range 5 {
		s.napback(0, day(n))
	}
	s.configure(s.block("Exclude *.tmp")) // the next would retire a DIFF
	before, archives := s.snapshotOfState(), s.archives()
	for name, script := range map[string]string{
		"s3put": `echo "s3put: error: disk full" >&2; exit 1`,
		"zstd":  `head -c 1 >/dev/null; echo no memory >&2; exit 1`,
		"tar":   `[ "$1" = --version ] && exec "$REAL" "$@"; "$REAL" "$@"; echo "tar: Error is not recoverable: exiting now" >&2; exit 2`,
	} {
		s.fake(name, script)
		e := s.napback(1, day(1+8))
		if !strings.Contains(e.stderr, "napback: error: Directory") || !strings.Contains(e.out, "FAILED") {
			t.Errorf("%s: %v", name, e)
		}
		s.real()
		if got := s.archives(); !slices.Equal(got, archives) || s.incomplete() != 0 {
			t.Errorf("%s: archives %q, before %q", name, got, archives)
		}
		if got := s.snapshotOfState(); got != before {
			t.Errorf("%s: state changed", name)
		}
	}
}

// snapshotOfState sums up the files in DiffDir.
func (s *site) snapshotOfState() string {
	var b bytes.Buffer
	files, _ := filepath.Glob(filepath.Join(s.diffs, "*"))
	for _, f := range files {
		if strings.HasSuffix(f, ".account.napback") {
			continue // which tells of runs, whatever they change
		}
		data, err := os.ReadFile(f)
		s.must(err)
		fmt.Fprintf(&b, "%s %x\n", f, sha256.Sum256(data))
	}
	return b.String()
}

func TestTwoRunsAtTheSameTime(t *testing.T) {
	s := newSite(t)
	d, err := state.Open(s.diffs)
	s.must(err)
	release, ok, err := d.Lock()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if e := s.napback(7, day(0)); !strings.Contains(e.stderr, "another napback is running") || e.out != "" {
		t.Error(e)
	}
	s.napback(0, day(0), "-t") // which changes nothing
	release()
	s.napback(0, day(0))
}

func TestInterruptEndsTheChainAndCleansUp(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	before := s.snapshotOfState()
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7 * 31)
	}
	s.must(os.WriteFile(filepath.Join(s.source, "noise"), noise, 0o644))
	s.configure("Compression none\nChunkSize 1M\nMemory 1M\nConcurrency 1\nBandwidthLimit 500k\n" + s.block())
	cmd := s.command(t.Context(), "napback", "-c", s.conf, "--date", day(1))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	s.must(cmd.Start())
	for s.chunks() < 4 { // 3 are the first archive's
		time.Sleep(10 * time.Millisecond)
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatal("napback ended before its time")
		}
	}
	s.must(cmd.Process.Signal(os.Interrupt))
	asked := time.Now()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || time.Since(asked) > 5*time.Second {
		t.Errorf("exit %d after %v: %s", code, time.Since(asked), stderr.String())
	}
	if n := s.chunks(); n != 3 {
		t.Errorf("%d objects are left", n)
	}
	if got := s.snapshotOfState(); got != before {
		t.Errorf("the state changed:\n%s\n%s", before, got)
	}
}

// chunks counts the objects in the bucket.
func (s *site) chunks() int {
	files, _ := filepath.Glob(filepath.Join(s.store, "bk", "job*"))
	return len(files)
}
