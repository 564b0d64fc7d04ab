//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

func TestMain(m *testing.M) {
	tooltest.Own(m, "napback", main, "s3put", "s3get", "s3ls", "s3rm", "slotcalc", "pgpipe")
}

// binDir is where all tools are, side by side.
func binDir(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("napback")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

// site is a host with a source, a configuration and a directory store.
type site struct {
	t      *testing.T
	dir    string // holds everything
	source string
	diffs  string
	store  string
	conf   string
	bin    string   // the tools
	path   string   // PATH for the tools
	env    []string // added to their environment
	setup  func(*exec.Cmd)
	gnupg  *tooltest.GnuPG // see newKey
}

// newSite makes a site whose only job is source, with DIFFs 3 and Fulls 2, and
// extra directives in its block.
func newSite(t *testing.T, extra ...string) *site {
	t.Helper()
	storetest.NotQuick(t, "runs whole backups")
	return newQuickSite(t, extra...)
}

// newQuickSite is newSite for the few tests of whole backups that `make quick`
// runs, too.
func newQuickSite(t *testing.T, extra ...string) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, dir: dir, source: filepath.Join(dir, "src"), diffs: filepath.Join(dir, "diffs"),
		store: filepath.Join(dir, "store"), conf: filepath.Join(dir, "napback.conf"),
		bin: binDir(t), path: os.Getenv("PATH")}
	for _, d := range []string{s.source, s.diffs, filepath.Join(s.store, "bk")} {
		s.must(os.MkdirAll(d, 0o755))
	}
	s.configure(s.block(extra...))
	return s
}

// block is the job of the source.
func (s *site) block(extra ...string) string {
	return fmt.Sprintf("<Directory %s>\n  Name job\n  Diffs 3\n  Fulls 2\n  %s\n</Directory>\n", s.source, strings.Join(extra, "\n  "))
}

// configure writes the configuration: the store, then text.
func (s *site) configure(text string) {
	s.t.Helper()
	s.must(os.WriteFile(s.conf, []byte(fmt.Sprintf("Bucket bk\nEndpoint file://%s\nDiffDir %s\nNeverDie off\n%s", s.store, s.diffs, text)), 0o600))
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// write makes a file of the source.
func (s *site) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.source, name)
	s.must(os.MkdirAll(filepath.Dir(path), 0o755))
	s.must(os.WriteFile(path, []byte(content), 0o644))
}

// ended is how a program ended.
type ended struct {
	code        int
	out, stderr string
}

func (e ended) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", e.code, e.out, e.stderr)
}

// command is one of our tools, with the site's environment.
func (s *site) command(ctx context.Context, tool string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, tool), args...)
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "AWS_ENDPOINT_URL_S3=file://"+s.store, "PATH="+s.path)
	cmd.Env = append(cmd.Env, s.env...)
	if s.setup != nil {
		s.setup(cmd)
	}
	return cmd
}

func (s *site) tool(tool string, args ...string) ended {
	s.t.Helper()
	cmd := s.command(s.t.Context(), tool, args...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), stderr.String()}
}

// napback runs napback on a day and checks its exit status.
func (s *site) napback(code int, date string, args ...string) ended {
	s.t.Helper()
	e := s.tool("napback", append([]string{"-c", s.conf, "--date", date}, args...)...)
	if e.code != code {
		s.t.Fatalf("napback on %s %v: want exit %d, got %v", date, args, code, e)
	}
	return e
}

// archives lists what is committed: NAME, newest last.
func (s *site) archives() []string {
	s.t.Helper()
	var names []string
	for line := range strings.Lines(s.tool("s3ls", "bk").out) {
		names = append(names, strings.Fields(line)[len(strings.Fields(line))-1])
	}
	return names
}

// fake replaces a program by a shell script for the runs to come, to show a fault
// that the real one cannot be made to show. $REAL is the real one.
func (s *site) fake(name, script string) {
	s.t.Helper()
	if s.bin == binDir(s.t) {
		s.bin = s.t.TempDir()
		tools, err := filepath.Glob(filepath.Join(binDir(s.t), "*"))
		s.must(err)
		for _, tool := range tools {
			// napback looks beside its own file, so a symbolic link would not do.
			s.must(os.Link(tool, filepath.Join(s.bin, filepath.Base(tool))))
		}
		s.path = s.bin + ":" + s.path
	}
	real := filepath.Join(binDir(s.t), name)
	if _, err := os.Stat(real); err != nil {
		real, err = exec.LookPath(name)
		s.must(err)
	}
	s.must(errors.Join(os.RemoveAll(filepath.Join(s.bin, name)),
		os.WriteFile(filepath.Join(s.bin, name), []byte("#!/bin/bash\nREAL="+real+"\n"+script+"\n"), 0o755)))
}

// real takes all fakes back.
func (s *site) real() { s.bin, s.path = binDir(s.t), os.Getenv("PATH") }

// day is the n-th day of a round of 8 slots: a FULL on days 0 and 4, and slot 0 of
// the default schedule too. All of them are past, since a day is not done before it
// came.
func day(n int) string {
	today := time.Now().UTC()
	first := today.AddDate(0, 0, -40-int(today.Unix()/86400-40)%56)
	return first.AddDate(0, 0, n).Format(time.DateOnly)
}
