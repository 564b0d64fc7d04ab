//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/tooltest"
)

func TestTemporaryFiles(t *testing.T) {
	s := newSite(t)
	temp := filepath.Join(s.dir, "temp")
	s.must(os.Mkdir(temp, 0o755))
	secret := s.newKey("")
	config := func(extra string) {
		s.configure(encrypted + "\nCompression none\nChunkSize 100k\nUseTempFile on\nTempDir " + temp + "\n" + extra + s.block())
	}
	config("")
	s.write("file", strings.Repeat("plain text\n", 100_000))
	s.must(os.WriteFile(filepath.Join(temp, "napback-123.tmp"), []byte("left by a killed run"), 0o600))
	s.must(os.WriteFile(filepath.Join(temp, "napback-other"), nil, 0o600))
	s.napback(0, day(0))
	s.write("more", "x")
	s.napback(0, day(1))
	s.cmd(0, "restore", "-k", secret, "--to", filepath.Join(s.dir, "back"), "job")
	if d := difference(tree(t, s.source), tree(t, filepath.Join(s.dir, "back", s.source))); d != "" {
		t.Error(d)
	}
	s.nothingIn(temp)

	// While it is uploaded, the file holds nothing plain and has no name.
	config("BandwidthLimit 3M\n")
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		ctx, cancel := context.WithCancel(t.Context())
		cmd := s.command(ctx, "napback", "-c", s.conf, "--date", day(2), "-f")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		s.write("file", strings.Repeat("plain text, changed\n", 500_000+int(sig)))
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		s.must(cmd.Start())
		s.awaitChunk("job-2-DIFF")
		s.spooled(cmd.Process.Pid, temp)
		s.must(cmd.Process.Signal(sig))
		_ = cmd.Wait()
		cancel()
		s.nothingIn(temp)
		s.awaitOrphans()
		// Chunks may be left by an s3put that has lost its stderr, but no archive.
		if left, _ := filepath.Glob(filepath.Join(s.store, "bk", "job-2-DIFF:*:manifest")); len(left) > 0 {
			t.Errorf("%v: committed: %q\n%s", sig, left, said.String())
		}
		left, _ := filepath.Glob(filepath.Join(s.store, "bk", "job-2-DIFF:*"))
		if sig == syscall.SIGTERM && len(left) > 0 {
			t.Errorf("left in the store: %q\n%s", left, said.String())
		}
	}
	config("")
	s.napback(0, day(2))
	s.cmd(0, "restore", "-k", secret, "--to", filepath.Join(s.dir, "again"), "job")
	if d := difference(tree(t, s.source), tree(t, filepath.Join(s.dir, "again", s.source))); d != "" {
		t.Error(d)
	}
}

// awaitOrphans waits until no process uses the site's store.
func (s *site) awaitOrphans() {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		found, err := filepath.Glob("/proc/[0-9]*/cmdline")
		s.must(err)
		alive := slices.ContainsFunc(found, func(file string) bool {
			line, _ := os.ReadFile(file)
			return bytes.Contains(line, []byte(s.store))
		})
		if !alive {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("a process of a killed run does not end")
		}
	}
}

// nothingIn checks that a TempDir holds nothing of ours.
func (s *site) nothingIn(temp string) {
	s.t.Helper()
	left, err := os.ReadDir(temp)
	s.must(err)
	if len(left) != 1 || left[0].Name() != "napback-other" {
		s.t.Errorf("left in TempDir: %v", left)
	}
}

// spooled checks the file that napback has open below temp.
func (s *site) spooled(pid int, temp string) {
	s.t.Helper()
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	s.must(err)
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !strings.HasPrefix(target, temp+"/napback-") {
			continue
		}
		info, err := os.Stat(fd)
		s.must(err)
		data, err := os.ReadFile(fd)
		s.must(err)
		if info.Mode() != 0o600 || len(data) < 100_000 || bytes.Contains(data, []byte("plain text")) || !strings.HasSuffix(target, " (deleted)") {
			s.t.Errorf("%s: %v, %d bytes, plain %v", target, info.Mode(), len(data), bytes.Contains(data, []byte("plain text")))
		}
		return
	}
	s.t.Errorf("napback has no file in TempDir open: %q", fds)
}

func TestAFullTempDirFailsThatJobOnly(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	s := newSite(t)
	temp := filepath.Join(s.dir, "temp")
	s.must(os.Mkdir(temp, 0o755))
	s.must(syscall.Mount("tmpfs", temp, "tmpfs", 0, "size=1m"))
	defer func() { s.must(syscall.Unmount(temp, 0)) }()
	s.write("file", strings.Repeat("x", 3<<20))
	for _, how := range []string{"none", "zstd"} {
		s.configure("Compression none\n<Directory " + s.source + ">\nName big\nUseTempFile on\nTempDir " + temp + "\n</Directory>\n" + s.block())
		if how == "zstd" {
			s.must(exec.Command("sh", "-c", "head -c 3000000 /dev/urandom >\"$1\"", "sh", filepath.Join(s.source, "file")).Run())
			s.configure("Compression zstd\n<Directory " + s.source + ">\nName big\nUseTempFile on\nTempDir " + temp + "\n</Directory>\n" + s.block())
		}
		e := s.napback(1, day(0), "-f")
		if !strings.Contains(e.stderr, "is too small") {
			t.Errorf("%s: %v", how, e)
		}
		s.wantArchives("job-0-FULL")
		if left, _ := os.ReadDir(temp); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
	s.configure("UseTempFile on\nTempDir /nonexistent\n" + s.block())
	if e := s.napback(1, day(1)); !strings.Contains(e.stderr, "is never created") {
		t.Error(e)
	}
}
