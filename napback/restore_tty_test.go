//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// terminal makes a terminal and returns both of its ends.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// dialogue runs a sub-command on a terminal of its own. Each answer is typed
// once its question has been printed there.
func (s *site) dialogue(questions, answers []string, args ...string) (code int, screen string) {
	s.t.Helper()
	return s.dialogueOn(80, questions, answers, args...)
}

// dialogueOn is dialogue on a terminal of so many columns.
func (s *site) dialogueOn(columns int, questions, answers []string, args ...string) (code int, screen string) {
	s.t.Helper()
	master, slave := terminal(s.t)
	resize(s.t, slave.Fd(), columns)
	cmd := s.command(s.t.Context(), "napback", append([]string{"-c", s.conf}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	s.must(cmd.Start())
	slave.Close()
	var seen bytes.Buffer
	buffer := make([]byte, 4096)
	from := 0
	for {
		n, err := master.Read(buffer)
		seen.Write(buffer[:n])
		if len(questions) > 0 && strings.Contains(seen.String()[from:], questions[0]) {
			from = seen.Len()
			_, err := master.WriteString(answers[0] + "\r") // what the Enter key sends
			s.must(err)
			questions, answers = questions[1:], answers[1:]
		}
		if err != nil { // the last process that had the terminal has ended
			break
		}
	}
	_ = cmd.Wait()
	if len(questions) > 0 {
		s.t.Errorf("%q was never asked:\n%s", questions[0], seen.String())
	}
	return cmd.ProcessState.ExitCode(), seen.String()
}

// The processes of a chain are in the background: one of them that asked itself
// would be stopped, and the restore with it.
func TestRestoreAsksForThePassphraseOnceOnATerminal(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("open sesame")
	states := s.fourDays(true)
	to := filepath.Join(s.dir, "out")
	s.env = append(s.env, "TMPDIR="+t.TempDir())
	code, screen := s.dialogue([]string{"Passphrase of " + secret + ": "}, []string{"open sesame"}, "restore", "--to", to, "-k", secret, "job")
	if code != 0 || strings.Contains(screen, "open sesame") || strings.Count(screen, "Passphrase of") != 1 {
		t.Fatalf("exit %d:\n%s", code, screen)
	}
	s.mustEqual("the newest", states[3], filepath.Join(to, s.source))
	left, err := os.ReadDir(strings.TrimPrefix(s.env[len(s.env)-1], "TMPDIR="))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	code, screen = s.dialogue([]string{"Passphrase of "}, []string{"sesame"}, "restore", "--to", to+"2", "-k", secret, "job")
	if code != 1 || !strings.Contains(screen, "wrong passphrase") {
		t.Errorf("a wrong passphrase: exit %d:\n%s", code, screen)
	}
}

func TestRestoreInPlaceAsksOnATerminal(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	want := tree(t, s.source)
	s.write("extra", "x")
	for _, answer := range []string{"n", "", "perhaps"} {
		code, screen := s.dialogue([]string{"in place? [y/N] "}, []string{answer}, "restore", "--in-place", "job")
		if _, err := os.Lstat(filepath.Join(s.source, "extra")); err != nil || code != 1 || !strings.Contains(screen, "not confirmed, nothing is changed") {
			t.Errorf("answer %q: exit %d, %v:\n%s", answer, code, err, screen)
		}
	}
	code, screen := s.dialogue([]string{"in place? [y/N] "}, []string{"y"}, "restore", "--in-place", "job")
	if code != 0 || !strings.Contains(screen, s.source+"/extra") {
		t.Errorf("exit %d:\n%s", code, screen)
	}
	s.mustEqual("the source", want, s.source)
}

// A terminal obeys what is in a dump, which may be anybody's.
func TestADumpDoesNotGoToATerminal(t *testing.T) {
	s := newSite(t)
	s.configure(job("PostgreSQL", "shop", "job"))
	f := &forger{site: s}
	f.store("FULL", "PostgreSQL shop", []byte(tooltest.Hostile+"\n"))
	code, screen := s.dialogue(nil, nil, "restore", "job")
	tooltest.Harmless(t, "restore", strings.ReplaceAll(screen, "\r\n", "\n"))
	if code != 2 || !strings.Contains(screen, "standard output is a terminal") {
		t.Errorf("exit %d:\n%q", code, screen)
	}
	if e := s.cmd(0, "restore", "job"); e.out != tooltest.Hostile+"\n" {
		t.Error(e)
	}
}
