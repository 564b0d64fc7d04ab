//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// spoil stores an archive anew, with another stream of tar.
func (s *site) spoil(name string, change func(stream []byte) []byte) {
	s.t.Helper()
	var l struct{ Meta map[string]string }
	s.must(json.Unmarshal([]byte(s.tool("s3ls", "--json", "bk:"+name).out), &l))
	get := exec.Command("bash", "-c", `"$0" "$1" | zstd -dq`, filepath.Join(binDir(s.t), "s3get"), "bk:"+name)
	get.Env = s.command(s.t.Context(), "s3get").Env
	stream, err := get.Output()
	s.must(err)
	args := []string{"-o", "pipefail", "-c", `zstd -q | "$0" "$@"`, filepath.Join(binDir(s.t), "s3put"), "bk:" + name}
	for k, v := range l.Meta {
		if k != "chain" { // its run will be another
			args = append(args, "-m", k+"="+v)
		}
	}
	put := exec.Command("bash", args...)
	put.Env, put.Stdin = get.Env, bytes.NewReader(change(stream))
	if out, err := put.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

// What was stored is what comes out, but it is no whole archive.
func TestAStreamThatTarDidNotMakeIsFound(t *testing.T) {
	s := newSite(t)
	s.write("a", "first")
	s.write("b", strings.Repeat("second", 1000))
	s.napback(0, day(0))
	s.spoil("job-0-FULL", func(stream []byte) []byte {
		return stream[:len(bytes.TrimRight(stream, "\x00"))/512*512] // cut in the last member
	})
	s.cmd(0, "verify")
	if e := s.cmd(5, "verify", "--unpack"); !strings.Contains(e.out, "BAD ") || !strings.Contains(e.stderr, "without its end marker") {
		t.Error(e)
	}
	e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "cut"), "job")
	if !strings.Contains(e.stderr, "without its end marker") || e.out != "" {
		t.Error(e)
	}
	s.napback(0, day(0), "-f")
	s.spoil("job-0-FULL", func(stream []byte) []byte {
		i := bytes.Index(stream, []byte("second"))
		stream[i-400]++ // in the header
		return stream
	})
	if e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "spoiled"), "job"); !strings.Contains(e.stderr, "a header with a wrong checksum") {
		t.Error(e)
	}
}

func TestVerifyReadsEverything(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("")
	s.fourDays(false)
	for _, args := range [][]string{{}, {"--unpack"}, {"-k", secret}, {"--all", "job"}} {
		e := s.cmd(0, append([]string{"verify"}, args...)...)
		if strings.Count(e.out, "ok bk:job-") != 4 {
			t.Errorf("verify %q: %v", args, e)
		}
	}
	if e := s.cmd(0, "verify", "--at", day(1), "job"); strings.Count(e.out, "ok ") != 2 {
		t.Error(e)
	}
	// What is stored is whole, but nobody can open it.
	s.must(os.RemoveAll(filepath.Join(s.gnupg.Dir, "private-keys-v1.d")))
	s.cmd(0, "verify")
	if e := s.cmd(1, "verify", "--unpack"); strings.Count(e.out, "skip bk:job-") != 4 || !strings.Contains(e.out, "No secret key") {
		t.Error(e)
	}
}

func TestCheckFindsWhatWouldFail(t *testing.T) {
	s := newSite(t, encrypted)
	s.newKey("")
	before := tree(t, s.dir)
	e := s.cmd(0, "check")
	if strings.Contains(e.out, "BAD") || strings.Count(e.out, "ok ") < 8 {
		t.Error(e)
	}
	if d := difference(before, tree(t, s.dir)); d != "" {
		t.Errorf("check has changed something:\n%s", d)
	}
	for what, breaks := range map[string]func(){
		"DiffDir ":   func() { s.must(os.Rename(s.diffs, s.diffs+"2")) },
		"Directory ": func() { s.must(os.Rename(s.source, s.source+"2")) },
		"bucket bk":  func() { s.must(os.Rename(filepath.Join(s.store, "bk"), filepath.Join(s.store, "bk2"))) },
		"recipients": func() { s.env = append(s.env, "GNUPGHOME="+t.TempDir()) },
	} {
		breaks()
		if e := s.cmd(1, "check"); !strings.Contains(e.out, "BAD "+what) {
			t.Errorf("want BAD %s, got %v", what, e)
		}
	}
}
