//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/napback/standing"
)

// change replaces one byte of a stored object whose name ends so.
func (s *site) damage(suffix string) {
	s.t.Helper()
	done := false
	s.must(filepath.Walk(s.store, func(path string, info os.FileInfo, err error) error {
		if err != nil || !strings.HasSuffix(path, suffix) || done {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[len(data)/2] ^= 1
		done = true
		return os.WriteFile(path, data, 0o600)
	}))
	if !done {
		s.t.Fatalf("no object ends with %q", suffix)
	}
}

func TestADamagedArchiveIsNeverARestore(t *testing.T) {
	s := newSite(t)
	s.quickHistory()
	s.damage("0000000000000")
	to := filepath.Join(t.TempDir(), "out")
	e := s.cmd(5, "restore", "--to", to, "job")
	if e.out != "" || !strings.Contains(e.stderr, "s3get") {
		t.Error(e)
	}
	v := s.cmd(5, "verify", "job")
	if !strings.Contains(v.out, "BAD ") || !strings.Contains(v.out, "ok ") {
		t.Error(v)
	}
}

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

func TestAMissingLinkIsNamed(t *testing.T) {
	s := newSite(t)
	s.quickHistory()
	if e := s.tool("s3rm", "-y", "bk:job-1-DIFF"); e.code != 0 {
		t.Fatal(e)
	}
	to := filepath.Join(t.TempDir(), "out")
	e := s.cmd(4, "restore", "--to", to, "job")
	if !strings.Contains(e.stderr, "job-2-DIFF of "+day(2)+" builds on run ") ||
		!strings.Contains(e.stderr, "hint: the nearest that can be restored is of "+day(0)+": --at "+day(0)) {
		t.Error(e)
	}
	l := s.cmd(0, "list", "job")
	if strings.Count(l.out, "NOT RESTORABLE") != 2 {
		t.Error(l)
	}
	st := s.cmd(3, "--date", day(3), "status")
	if !strings.Contains(st.out, "BROKEN") {
		t.Error(st)
	}
}

func TestListTellsWhatCanBeRestored(t *testing.T) {
	s := newSite(t)
	s.quickHistory()
	var lines []listed
	for line := range strings.Lines(s.cmd(0, "list", "--json").out) {
		var l listed
		s.must(json.Unmarshal([]byte(line), &l))
		lines = append(lines, l)
	}
	if len(lines) != 4 {
		t.Fatalf("%d lines: %+v", len(lines), lines)
	}
	for i, l := range lines {
		kind := "DIFF"
		if i == 0 {
			kind = "FULL"
		}
		if l.Job != "job" || l.Date != day(i) || l.Type != kind || l.Slot != fmt.Sprint(i) || !l.Restorable || len(l.Chain) != i+1 || l.Bytes <= 0 || l.State != "committed" {
			t.Errorf("line %d: %+v", i, l)
		}
	}
	e := s.cmd(0, "list", s.source)
	if strings.Count(e.out, "restorable") != 4 || !strings.HasPrefix(e.out, "JOB ") {
		t.Error(e)
	}
	s.cmd(4, "list", "nojob")
	// A job that has left the configuration can still be restored.
	s.configure(fmt.Sprintf("Directory %s/other\n", s.dir))
	if e := s.cmd(0, "list", "job"); strings.Count(e.out, "restorable") != 4 || !strings.Contains(e.stderr, "no job \"job\" is configured") {
		t.Error(e)
	}
	s.cmd(0, "restore", "--to", filepath.Join(s.dir, "out"), "job")
}

func TestStatusTellsWhatIsOverdue(t *testing.T) {
	s := newSite(t, "Frequency 2")
	s.write("f", "x")
	due := 0
	for s.napback(0, day(due)); len(s.archives()) == 0; s.napback(0, day(due)) {
		due++
	}
	for _, c := range []struct {
		day   int
		code  int
		state string
		next  int
	}{
		{due, 0, "ok", due + 2},
		{due + 1, 0, "ok", due + 2},
		{due + 2, 0, "due", due + 2},
		{due + 3, 3, "OVERDUE", due + 4},
		{due + 30, 3, "OVERDUE", due + 30},
	} {
		var got standing.Standing
		e := s.cmd(c.code, "--date", day(c.day), "status", "--json")
		s.must(json.Unmarshal([]byte(e.out), &got))
		if string(got.State) != c.state || got.Last != day(due) || got.Next != day(c.next) || got.Job != "job" || got.Archives != 1 {
			t.Errorf("on day %d: %+v", c.day-due, got)
		}
	}
	s.configure(s.block() + fmt.Sprintf("Directory %s/never\n", s.dir))
	e := s.cmd(3, "--date", day(due), "status")
	if !strings.Contains(e.out, "NEVER") || !strings.Contains(e.out, "ok") {
		t.Error(e)
	}
	s.must(os.RemoveAll(s.store))
	if e := s.cmd(1, "--date", day(due), "status"); strings.Count(e.out, "UNKNOWN") < 2 {
		t.Error(e)
	}
}

func TestVerifyReadsEverything(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("")
	s.quickHistory()
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
	s.must(os.RemoveAll(filepath.Join(s.dir, "gnupg", "private-keys-v1.d")))
	s.cmd(0, "verify")
	if e := s.cmd(4, "verify", "--unpack"); strings.Count(e.out, "BAD ") != 4 {
		t.Error(e)
	}
}

// A DIFF of which every chunk is well restores nothing without its FULL.
func TestVerifyOfAllFindsWhatCannotBeRestored(t *testing.T) {
	s := newSite(t)
	s.quickHistory()
	runs := s.runs()
	s.tool("s3rm", "-y", runs[1].Address())
	e := s.cmd(4, "verify", "--all", "job")
	for i, r := range runs {
		state := []string{"ok ", "", "BAD ", "BAD "}[i]
		if state != "" && !strings.Contains(e.out, state+r.Address()) || state == "" && strings.Contains(e.out, r.Address()) {
			t.Errorf("run %d: %v", i, e)
		}
	}
	if !strings.Contains(e.stderr, "which is not in the bucket any more") {
		t.Error(e)
	}
	s.must(os.WriteFile(filepath.Join(s.store, runs[3].Bucket, runs[3].Name+":"+runs[3].Run+":manifest"), []byte("{"), 0o600))
	if e := s.cmd(5, "verify", "--all", "job"); !strings.Contains(e.out, "BAD "+runs[3].Address()) || !strings.Contains(e.stderr, "manifest cannot be read") {
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
	after := tree(t, s.dir)
	for name := range before {
		if strings.HasPrefix(name, "gnupg") {
			delete(before, name)
			delete(after, name)
		}
	}
	if d := difference(before, after); d != "" {
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

func TestAJobIsFoundByItsNameOrItsSource(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.configure(fmt.Sprintf("<Cycle a>\nDirectory %[1]s\n</Cycle>\n<Cycle b>\nDirectory %[1]s\n</Cycle>\n", s.source))
	s.napback(0, day(0))
	e := s.cmd(4, "restore", "--to", "x", s.source)
	want := fmt.Sprintf("hint: name one of them: a%[1]s, b%[1]s\n", s.source)
	if !strings.Contains(e.stderr, "2 jobs have this source") || !strings.Contains(e.stderr, want) {
		t.Error(e)
	}
	for i, name := range []string{"a" + s.source, "b" + s.source} {
		to := filepath.Join(s.dir, fmt.Sprint("out", i))
		s.cmd(0, "restore", "--to", to, name)
		s.mustEqual(name, tree(t, s.source), filepath.Join(to, s.source))
	}
	if e := s.cmd(4, "verify", "job"); !strings.Contains(e.stderr, "the jobs are: a"+s.source+", b"+s.source) {
		t.Error(e)
	}
}

// Two hosts that share a bucket, and by mistake a name.
func TestRestoreSaysWhoseArchivesItUses(t *testing.T) {
	s := newSite(t)
	s.write("f", "mine")
	s.napback(0, day(0))
	s.must(filepath.WalkDir(s.store, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ":manifest") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		host, _ := os.Hostname()
		text := strings.Replace(string(data), fmt.Sprintf(`"host": %q`, host), `"host": "elsewhere"`, 1)
		return os.WriteFile(path, []byte(text), 0o600)
	}))
	to := filepath.Join(s.dir, "out")
	if e := s.cmd(0, "restore", "--to", to, "job"); !strings.Contains(e.stderr, "of host elsewhere as of") {
		t.Error(e)
	}
	s.cmd(0, "restore", "--host", "elsewhere", "--to", to+"2", "job")
}

// TestCheckTellsOfLinksOnTheWayToASource: before the first night, not after a
// link leads elsewhere.
func TestCheckTellsOfLinksOnTheWayToASource(t *testing.T) {
	s := newSite(t)
	s.write("real/in/f", "x")
	s.must(os.Symlink("real", filepath.Join(s.source, "way")))
	s.configure("Directory " + s.source + "/way/in\nDirectory " + s.source + "/real\n")
	e := s.cmd(3, "check")
	if !strings.Contains(e.out, "WARN Directory "+s.source+"/way/in\n") || !strings.Contains(e.out, "ok  Directory "+s.source+"/real\n") ||
		!strings.Contains(e.stderr, `it is "`+s.source+`/real/in"`) {
		t.Error(e)
	}
	s.configure("Directory " + s.source + "/way\n")
	if e := s.cmd(1, "check"); !strings.Contains(e.out, "BAD Directory "+s.source+"/way\n") || !strings.Contains(e.stderr, "the source is a symbolic link") {
		t.Error(e)
	}
}
