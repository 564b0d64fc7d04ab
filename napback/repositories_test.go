//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/napback/dbtest"
)

// svnSite has a repository and a job for it, with 3 DIFFs.
func svnSite(t *testing.T) (*site, *dbtest.Repository) {
	s := newSite(t)
	r := dbtest.Subversion(t, filepath.Join(s.dir, "repository"))
	s.configure("<Subversion " + r.Path + ">\nName svn\nDiffs 3\nFulls 2\n</Subversion>\n")
	return s, r
}

func TestARepositoryComesBackRevisionByRevision(t *testing.T) {
	s, r := svnSite(t)
	var want []string
	for n := range 3 {
		r.Fill(n)
		s.napback(0, day(n))
		want = append(want, r.Content())
	}
	s.wantArchives("svn-0-FULL", "svn-1-DIFF", "svn-2-DIFF")
	for n := range want {
		to := filepath.Join(s.dir, "back", day(n))
		s.must(os.MkdirAll(filepath.Dir(to), 0o755))
		s.cmd(0, "restore", "--at", day(n), "--load", "--as", to, "svn")
		if diff := cmp.Diff(want[n], dbtest.OpenSubversion(t, to).Content()); diff != "" {
			t.Errorf("%s: %s", day(n), diff)
		}
	}
	// Into an empty one; never into one that has something.
	empty := filepath.Join(s.dir, "empty")
	s.must(exec.Command("svnadmin", "create", empty).Run())
	s.cmd(0, "restore", "--load", "--as", empty, "svn")
	if e := s.cmd(1, "restore", "--load", "svn"); !strings.Contains(e.stderr, "has revisions already") {
		t.Error(e)
	}
	// The dumps, one after the other, are a dump.
	e := s.cmd(0, "restore", "svn")
	third := filepath.Join(s.dir, "third")
	s.must(exec.Command("svnadmin", "create", third).Run())
	load := exec.Command("svnadmin", "load", "-q", third)
	load.Stdin = strings.NewReader(e.out)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(want[2], dbtest.OpenSubversion(t, third).Content()); diff != "" {
		t.Error(diff)
	}
}

func TestAnIncrementIsNotLostByAFailure(t *testing.T) {
	s, r := svnSite(t)
	r.Fill(0)
	s.napback(0, day(0))
	r.Fill(1)
	for _, script := range []string{"exit 1", "exec true", `"$REAL" "$@" | head -c 20000`, `"$REAL" "$@"; kill -9 $$`} {
		s.fake("svnadmin", script)
		if e := s.napback(1, day(1)); strings.Contains(e.out, " ok ") {
			t.Errorf("%s: %v", script, e)
		}
		s.real()
		s.wantArchives("svn-0-FULL")
	}
	s.napback(0, day(1))
	to := filepath.Join(s.dir, "back")
	s.cmd(0, "restore", "--load", "--as", to, "svn")
	if diff := cmp.Diff(r.Content(), dbtest.OpenSubversion(t, to).Content()); diff != "" {
		t.Error(diff)
	}
}

// An increment on top of other revisions would make a repository that never was.
func TestAnotherRepositoryBeginsWithAFull(t *testing.T) {
	s, r := svnSite(t)
	r.Fill(0)
	old := filepath.Join(s.dir, "old")
	s.must(exec.Command("cp", "-a", r.Path, old).Run())
	replace := func() {
		s.must(os.RemoveAll(r.Path))
		s.must(exec.Command("cp", "-a", old, r.Path).Run())
	}
	r.Fill(1)
	s.napback(0, day(0))
	replace()
	if e := s.napback(3, day(1)); !strings.Contains(e.stderr, "had revision") {
		t.Error(e)
	}
	r.Fill(1)
	s.napback(0, day(2))
	replace()
	r.Fill(1)
	r.Fill(2)
	if e := s.napback(3, day(3)); !strings.Contains(e.stderr, "restored from an older copy") {
		t.Error(e)
	}
	s.must(exec.Command("svnadmin", "setuuid", r.Path).Run())
	if e := s.napback(3, day(3), "-f"); !strings.Contains(e.stderr, "its UUID") {
		t.Error(e)
	}
	to := filepath.Join(s.dir, "back")
	s.cmd(0, "restore", "--load", "--as", to, "svn")
	if diff := cmp.Diff(r.Content(), dbtest.OpenSubversion(t, to).Content()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryRepositoryBelowADirectory(t *testing.T) {
	s := newSite(t)
	root := filepath.Join(s.dir, "repos")
	for _, name := range []string{"a", "team/b", "own"} {
		s.must(os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		dbtest.Subversion(t, filepath.Join(root, name)).Fill(0)
	}
	text := "<SubversionDir " + root + ">\nName all\nDiffs 3\nFulls 2\n</SubversionDir>\n<Subversion " + root + "/own>\nName mine\n</Subversion>\n"
	s.configure(text)
	s.napback(0, day(0))
	s.wantArchives("all/a-0-FULL", "all/team/b-0-FULL", "mine-0-FULL")
	if e := s.napback(0, day(0), "-t", "-f"); strings.Count(e.out, "whole-dump subversion 0:") != 3 {
		t.Error(e)
	}
	// One that is broken and one that is new do not stop each other.
	s.must(os.Remove(filepath.Join(root, "a", "db", "current")))
	dbtest.Subversion(t, filepath.Join(root, "z")).Fill(0)
	s.napback(1, day(1))
	s.wantArchives("all/a-0-FULL", "all/team/b-0-FULL", "all/z-1-FULL", "mine-0-FULL")
	// One that is gone is told of.
	s.must(os.RemoveAll(filepath.Join(root, "a")))
	if e := s.napback(3, day(2)); !strings.Contains(e.stderr, `repository "a" has VANISHED`) {
		t.Error(e)
	}
	told := s.napback(3, day(2)).stderr
	_, told, _ = strings.Cut(told, "(to end this warning: rm ")
	record, _, _ := strings.Cut(told, ")")
	s.must(os.Remove(record))
	s.napback(0, day(3))
	s.must(os.RemoveAll(root))
	s.must(os.Mkdir(root, 0o755))
	if e := s.napback(1, day(4)); !strings.Contains(e.stderr, "there is no repository below it") {
		t.Error(e)
	}
	s.cmd(0, "restore", "--load", "--as", filepath.Join(root, "b"), "all/team/b")
}
