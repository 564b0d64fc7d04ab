//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// A snapshot that cannot be written is not a file that cannot be read.
func TestAFullDiffDirFailsTheJob(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	s := newSite(t)
	s.must(unix.Mount("tmpfs", s.diffs, "tmpfs", 0, "size=256k,mode=700"))
	t.Cleanup(func() { _ = unix.Unmount(s.diffs, unix.MNT_DETACH) })
	s.write("a", "1")
	s.napback(0, day(0))
	for i := range 3000 {
		s.write(fmt.Sprintf("%0200d", i), "")
	}
	before := s.snapshotOfState()
	e := s.napback(1, day(1))
	_, failure, _ := strings.Cut(e.stderr, "napback: error: ")
	if !strings.Contains(failure, ": tar: ") || !strings.Contains(failure, ": Cannot write: No space left on device") {
		t.Error(e)
	}
	if got := s.snapshotOfState(); got != before {
		t.Errorf("the state changed:\n%s\n%s", before, got)
	}
	s.wantArchives("job-0-FULL")
	s.must(unix.Unmount(s.diffs, 0))
	s.napback(0, day(1))
	s.stored(day(1))
}

// A log whose reader has died does not end a backup.
func TestNobodyListens(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	read, write, err := os.Pipe()
	s.must(err)
	read.Close()
	defer write.Close()
	cmd := s.command(t.Context(), "napback", "-c", s.conf, "-d", "--date", day(0))
	cmd.Stderr = write
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	s.stored(day(0))
	cmd = s.command(t.Context(), "napback", "-c", s.conf, "--date", day(1))
	cmd.Stdout = write
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit %d although the summary could not be printed", code)
	}
	s.stored(day(1))
}
