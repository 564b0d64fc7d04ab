//go:build unix

// Package dbtest starts real database servers for tests, each in a temporary
// directory and on a Unix socket only, and fills them with awkward data.
package dbtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/storetest"
)

// Server is a running database server.
type Server struct {
	Socket string // the path of a MariaDB's socket, the directory of a PostgreSQL's

	t       testing.TB
	cmd     *exec.Cmd
	done    chan struct{}
	log     string
	program string
	as      *syscall.Credential // who asks it for the test; nil: who runs the test
	client  func(database string, args ...string) *exec.Cmd
}

// patience bounds how long a server may take to start or stop. It is no measure
// of how long it should take.
const patience = 3 * time.Minute

// directory makes a directory whose name is short enough for the path of a
// socket, and that belongs to whom the server runs as.
func directory(t testing.TB) string {
	t.Helper()
	storetest.NotQuick(t, "starts a database server")
	dir, err := os.MkdirTemp("/tmp", "db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if c := account(t); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// account is whom servers run as in place of root, who they refuse to be.
func account(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// run runs a program of the server's account to its end.
func run(t testing.TB, dir string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	if c := account(t); c != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// start starts the server and waits until it answers.
func (s *Server) start(dir string, name string, args ...string) {
	s.t.Helper()
	s.log, s.program, s.done = filepath.Join(dir, "log"), filepath.Base(name), make(chan struct{})
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(name, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, log, log
	s.cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME="+dir)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account(s.t)}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	s.t.Cleanup(s.Kill)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		out, err := s.client("").CombinedOutput()
		if err == nil {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("%s has ended: %s", s.program, s.Log())
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer: %s\n%s", s.program, out, s.Log())
		}
	}
}

// Log is what the server has said.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.log)
	return string(text)
}

// Kill ends the server and all its processes at once, as a crash does.
func (s *Server) Kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.done
}

// Query runs SQL in a database and returns what it prints, a line a row.
func (s *Server) Query(database, sql string) string {
	s.t.Helper()
	cmd := s.client(database)
	cmd.Stdin = strings.NewReader(sql)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("%s: %v\n%s\nin: %.2000s", s.program, err, stderr.String(), sql)
	}
	return out.String()
}

// quoteAll writes every byte value as hex digits, for SQL.
func everyByte() string {
	var b strings.Builder
	for i := range 256 {
		fmt.Fprintf(&b, "%02x", i)
	}
	return b.String()
}
