//go:build linux

package main

import (
	"fmt"
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

func TestWarningsOfTar(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.fake("tar", `[ "$1" = --version ] && exec "$REAL" "$@"; "$REAL" "$@"; echo "tar: a: file changed as we read it" >&2; exit 1`)
	if e := s.napback(3, day(0)); !strings.Contains(e.stderr, "tar: a: file changed as we read it") {
		t.Error(e)
	}
	if listing := s.tool("s3ls", "--json", "-r", "bk").out; !strings.Contains(listing, `"stages":"tar 1, zstd 0"`) || !strings.Contains(listing, "file changed as we read it") {
		t.Error(listing)
	}
}

func TestARenameUnderTarsEyesIsTriedAgain(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	moved := `[ "$1" = --version ] && exec "$REAL" "$@"; echo >>%[1]q; [ $(wc -l <%[1]q) -le %[2]d ] && echo "tar: x/b: Directory has been renamed from 'x/a'" >&2; exec "$REAL" "$@"`
	s.fake("tar", fmt.Sprintf(moved, filepath.Join(s.dir, "tries"), 2))
	if e := s.napback(0, day(0)); strings.Count(e.stderr, "beginning again") != 2 {
		t.Error(e)
	}
	s.fake("tar", fmt.Sprintf(moved, filepath.Join(s.dir, "tries"), 99))
	if e := s.napback(1, day(1)); !strings.Contains(e.stderr, "renamed all the time") || !strings.Contains(e.stderr, "hint: stop what renames them") {
		t.Error(e)
	}
	s.wantArchives("job-0-FULL") // none that a restore would refuse
	s.real()
	s.napback(0, day(1))
	s.stored(day(1))
}

func TestOtherTarsAreRefused(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.fake("tar", "echo bsdtar 3.7.2")
	for _, program := range []string{"zstd", "bash"} {
		path, err := exec.LookPath(program)
		s.must(err)
		s.must(os.Symlink(path, filepath.Join(s.bin, program)))
	}
	s.path = s.bin
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "bsdtar 3.7.2") || !strings.Contains(e.stderr, "hint: install GNU tar") {
		t.Error(e)
	}
}

// Credentials that may only create objects leave the local state to decide.
func TestCredentialsThatMayNotLook(t *testing.T) {
	s := newSite(t)
	s.fake("s3ls", `echo 's3ls: error: list "bk": access denied' >&2; exit 8`)
	s.fake("s3rm", `echo 's3rm: error: access denied' >&2; exit 8`)
	for n := range 2 {
		s.write("a", fmt.Sprint(n))
		if e := s.napback(0, day(n)); !strings.Contains(e.stderr, "relying on the local state") {
			t.Error(e)
		}
		if e := s.napback(0, day(n)); !strings.Contains(e.out, "done today") {
			t.Error(e)
		}
	}
	s.real()
	s.wantArchives("job-0-FULL", "job-1-DIFF")
	s.stored(day(1))
}
