//go:build unix

package dbtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// Repository is a Subversion repository of a test.
type Repository struct {
	Path string

	t testing.TB
}

// Subversion makes an empty repository.
func Subversion(t testing.TB, path string) *Repository {
	t.Helper()
	r := OpenSubversion(t, path)
	r.svn("svnadmin", "create", path)
	hook := filepath.Join(path, "hooks", "pre-revprop-change")
	if err := os.WriteFile(hook, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return r
}

// OpenSubversion is a repository that is there.
func OpenSubversion(t testing.TB, path string) *Repository { return &Repository{path, t} }

func (r *Repository) svn(name string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command(tooltest.System(r.t, name), args...)
	config := r.t.TempDir()
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "HOME="+config)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		r.t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return out.String()
}

// Commit makes a revision of what change does in a working copy, and returns
// the message.
func (r *Repository) Commit(message string, change func(dir string, svn func(args ...string))) {
	r.t.Helper()
	dir := filepath.Join(r.t.TempDir(), "work")
	r.svn("svn", "checkout", "-q", "file://"+r.Path, dir)
	change(dir, func(args ...string) {
		r.t.Helper()
		r.svn("svn", append(args, "-q")...)
	})
	r.svn("svn", "commit", "-q", "-m", message, dir)
}

// Fill makes some revisions of all kinds; round tells those of several calls
// apart.
func (r *Repository) Fill(round int) {
	r.t.Helper()
	name := fmt.Sprintf("trunk %d é", round)
	r.Commit(fmt.Sprintf("round %d: \"first\"\n\nRevision-number: 99\n\n'é' 😀", round), func(dir string, svn func(...string)) {
		top := filepath.Join(dir, name)
		r.must(os.MkdirAll(filepath.Join(top, "sub"), 0o755))
		r.must(os.WriteFile(filepath.Join(top, "all"), []byte(unhex(r.t, strings.Repeat(everyByte(), 100))), 0o644))
		r.must(os.WriteFile(filepath.Join(top, "sub", "run"), []byte("#!/bin/sh\n$Id$\r\nNode-path: x\n\n"), 0o755))
		r.must(os.WriteFile(filepath.Join(top, "empty"), nil, 0o644))
		r.must(os.Symlink("all", filepath.Join(top, "link")))
		svn("add", top)
		svn("propset", "odd:property", "value with\nline ends é", top)
		svn("propset", "svn:mime-type", "application/octet-stream", filepath.Join(top, "all"))
		svn("propset", "svn:keywords", "Id", filepath.Join(top, "sub", "run"))
	})
	r.svn("svn", "copy", "-q", "-m", "a branch", r.url(name), r.url(fmt.Sprintf("branch %d", round)))
	r.svn("svn", "mkdir", "-q", "-m", "an empty directory", r.url(fmt.Sprintf("empty %d", round)))
	r.Commit("change, move and delete", func(dir string, svn func(...string)) {
		top := filepath.Join(dir, fmt.Sprintf("branch %d", round))
		r.must(os.WriteFile(filepath.Join(top, "all"), []byte("changed\x00"), 0o644))
		svn("move", filepath.Join(top, "sub"), filepath.Join(dir, fmt.Sprintf("moved %d", round)))
		svn("delete", filepath.Join(top, "empty"))
	})
	if round > 0 { // copy from a revision that an earlier dump holds
		r.svn("svn", "copy", "-q", "-m", "from the past", r.url("trunk 0 é")+"@1", r.url(fmt.Sprintf("past %d", round)))
	}
	r.svn("svn", "propset", "-q", "--revprop", "-r", "HEAD", "odd:revprop", "a\nb", "file://"+r.Path)
	r.svn("svn", "propdel", "-q", "--revprop", "-r", "HEAD", "svn:log", "file://"+r.Path)
}

func (r *Repository) url(name string) string { return "file://" + r.Path + "/" + name }

func (r *Repository) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// Content is all revisions of the repository with their properties, as
// svnadmin dumps them, once it has found the repository to be sound.
func (r *Repository) Content() string {
	r.t.Helper()
	r.svn("svnadmin", "verify", "-q", r.Path)
	return r.svn("svnadmin", "dump", "-q", r.Path)
}
