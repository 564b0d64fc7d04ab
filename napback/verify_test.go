//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every chunk of a dump that is cut short is as it was stored.
func TestVerifyJudgesDumps(t *testing.T) {
	const (
		mysql = "INSERT;\n-- Dump completed on 2026-11-21  9:53:56\n"
		one   = "COPY;\n--\n-- PostgreSQL database dump complete\n--\n"
		all   = "COPY;\n--\n-- PostgreSQL database cluster dump complete\n--\n"
	)
	s := newSite(t)
	for _, c := range []struct{ source, stream, wrong string }{
		{"MySQL shop", mysql, ""},
		{"MySQL shop", mysql[:len(mysql)-2], "cut short"},
		{"MySQL shop", "", "empty"},
		{"MySQL shop", one, "cut short"},
		{"PostgreSQL ann@shop", one, ""},
		{"PostgreSQL ann@shop", "COPY;\n", "cut short"},
		{"PostgreSQL all", all, ""},
		{"PostgreSQL all", one, "cut short"},
	} {
		kind, of, _ := strings.Cut(c.source, " ")
		s.configure(job(kind, of, "job"))
		f := &forger{site: s}
		f.store("FULL", c.source, []byte(c.stream))
		s.cmd(0, "verify", "job")
		if c.wrong == "" {
			if e := s.cmd(0, "verify", "--unpack", "job"); !strings.HasPrefix(e.out, "ok bk:job-0-FULL:") {
				t.Errorf("%q: %v", c, e)
			}
		} else if e := s.cmd(5, "verify", "--unpack", "job"); !strings.HasPrefix(e.out, "BAD bk:job-0-FULL:") || !strings.Contains(e.stderr, c.wrong) {
			t.Errorf("%q: %v", c, e)
		}
	}
}

func TestVerifyFollowsTheRevisionsOfARepository(t *testing.T) {
	s, r := svnSite(t)
	for n := range 3 {
		r.Fill(n)
		s.napback(0, day(n))
	}
	e := s.cmd(0, "-d", "verify", "--unpack", "svn")
	if strings.Count(e.out, "ok bk:svn-") != 3 || !strings.Contains(e.stderr, "svn-0-FULL holds revisions 0:") {
		t.Error(e)
	}
	// A DIFF that leaves revisions out, or begins anew, is well by itself.
	dump := func(args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "svnadmin", append([]string{"dump", "-q", r.Path}, args...)...)
		data, err := cmd.Output()
		s.must(err)
		return data
	}
	s.configure("<Subversion " + r.Path + ">\nName job\n</Subversion>\n")
	for _, c := range []struct {
		diff  []byte
		wrong string
	}{
		{dump("--incremental", "-r", "3:5"), ""},
		{dump("--incremental", "-r", "4:5"), "begins with revision 4, but the archive that it builds on ends with 2"},
		{dump("-r", "0:5"), "begins with revision 0"},
		{dump("--incremental", "-r", "3:5")[:2000], "cut short"},
		{nil, "no revision"},
	} {
		f := &forger{site: s}
		f.store("FULL", "Subversion "+r.Path, dump("-r", "0:2"))
		f.store("DIFF", "Subversion "+r.Path, c.diff)
		code := 5
		if c.wrong == "" {
			code = 0
		}
		if e := s.cmd(code, "verify", "--unpack", "job"); !strings.Contains(e.out, "ok bk:job-0-FULL:") || !strings.Contains(e.stderr, c.wrong) {
			t.Errorf("%q: %v", c.wrong, e)
		}
	}
	f := &forger{site: s}
	f.store("FULL", "Subversion "+r.Path, dump("--incremental", "-r", "1:2"))
	if e := s.cmd(5, "verify", "--unpack", "job"); !strings.Contains(e.stderr, "it is a FULL, but begins with revision 1") {
		t.Error(e)
	}
	// The manifest tells which revisions were meant.
	if e := s.tool("s3ls", "--json", "bk:svn-0-FULL"); !strings.Contains(e.out, `"revisions":"0:`) {
		t.Error(e)
	}
}

// What nobody can judge is not called bad, nor well.
func TestVerifySkipsWhatItCannotJudge(t *testing.T) {
	s := newSite(t)
	secret := s.newKey("")
	s.configure("MySQL other\n")
	f := &forger{site: s, encrypts: true}
	f.store("FULL", "Telegraph greeting", []byte("hello"))
	s.cmd(0, "verify", "job")
	if e := s.cmd(3, "verify", "-k", secret, "job"); !strings.HasPrefix(e.out, "skip bk:job-0-FULL:") || !strings.Contains(e.out, `nobody can tell of the kind "Telegraph"`) ||
		strings.Contains(e.stderr, "error") {
		t.Error(e)
	}
	// What no key opens, and no program decompresses, is not called bad either.
	s.must(os.RemoveAll(filepath.Join(s.gnupg.Dir, "private-keys-v1.d")))
	if e := s.cmd(1, "verify", "--unpack", "job"); !strings.HasPrefix(e.out, "skip bk:job-0-FULL:") || !strings.Contains(e.stderr, "No secret key") {
		t.Error(e)
	}
	// But damage is, whatever the kind.
	s.must(os.WriteFile(s.glob("bk/job-0-FULL:*:0000000000000"), []byte("other"), 0o600))
	if e := s.cmd(5, "verify", "-k", secret, "job"); !strings.HasPrefix(e.out, "BAD bk:job-0-FULL:") {
		t.Error(e)
	}
}

// glob is the one file of the store that matches.
func (s *site) glob(pattern string) string {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.store, pattern))
	s.must(err)
	if len(found) != 1 {
		s.t.Fatalf("%s: %q", pattern, found)
	}
	return found[0]
}
