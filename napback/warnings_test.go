//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asUser makes the tools run as a user to whom files can be unreadable, even if
// the test is root's.
func (s *site) asUser() {
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	s.giveTo(nobody)
	s.must(os.Chmod(filepath.Dir(s.dir), 0o755))
	s.setup = func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// asRoot ends asUser, if root runs the test: root does not obey another's files.
func (s *site) asRoot() {
	if os.Geteuid() == 0 {
		s.giveTo(0)
		s.setup = nil
	}
}

func (s *site) giveTo(id int) {
	s.must(filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, _ error) error { return os.Lchown(path, id, id) }))
}

func TestWhatCouldNotBeReadIsFetchedOnceItCan(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.write("locked\n\xff/in", "2")
	locked := filepath.Join(s.source, "locked\n\xff")
	s.asUser()
	s.must(os.Chmod(locked, 0))
	if e := s.napback(3, day(0)); !strings.Contains(e.stderr, "1 file could not be read and is not in the archive") {
		t.Error(e)
	}
	s.write("b", "3")
	if e := s.napback(3, day(1)); !strings.Contains(e.out, "job-1-DIFF") || !strings.Contains(e.stderr, "could not be read") {
		t.Error(e)
	}
	s.must(os.Chmod(locked, 0o755))
	if e := s.napback(0, day(2)); !strings.Contains(e.out, "job-2-FULL") || !strings.Contains(e.stderr, "could not be read before and now can be") {
		t.Error(e)
	}
	s.stored(day(2))
	s.must(os.Chmod(s.source, 0))
	if e := s.napback(1, day(3)); !strings.Contains(e.stderr, "source itself could not be read") {
		t.Error(e)
	}
	s.must(os.Chmod(s.source, 0o755))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-FULL")
}
