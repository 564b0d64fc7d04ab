//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// cmd runs a sub-command and checks its exit status.
func (s *site) cmd(code int, args ...string) ended {
	s.t.Helper()
	e := s.tool("napback", append([]string{"-c", s.conf}, args...)...)
	if e.code != code {
		s.t.Fatalf("napback %q: want exit %d, got %v", args, code, e)
	}
	return e
}

// newKey makes a GnuPG home with a key, and returns its exported secret key.
func (s *site) newKey(passphrase string) (secret string) {
	s.t.Helper()
	s.gnupg = tooltest.GnuPGHome(s.t)
	s.env = append(s.env, "GNUPGHOME="+s.gnupg.Dir)
	s.gnupg.GPG(s.t, nil, "--passphrase", passphrase, "--quick-generate-key", "backup@example.org", "future-default", "default", "never")
	return s.gnupg.File(s.t, s.gnupg.GPG(s.t, nil, "--passphrase", passphrase, "--export-secret-keys", "backup@example.org"))
}

const encrypted = "GpgRecipient backup@example.org"

// fourDays makes four days of backups: a FULL and three DIFFs, which do not hold what
// has not changed if they are apart; else, for tests that are not about what DIFFs
// hold, each holds everything. It returns the source's tree of each day.
func (s *site) fourDays(apart bool) []map[string]string {
	s.t.Helper()
	tooltest.NeedsRoot(s.t, "gives files away")
	s.shell(`umask 022
		mkdir -p stays gone/deep todir.d; printf 1 >stays/one; printf 2 >stays/two; printf x >gone/deep/file
		printf f >becomes; printf l >linked; ln linked stays/hard; ln -s one stays/soft; printf n >$'new\nline'
		truncate -s 1M sparse; printf end >>sparse; mkfifo fifo; printf o >owned; chown 1234:4321 owned
		chmod 4711 owned; setfattr -n user.note -v hello stays/two; setfacl -m u:1234:r stays/two; mkdir ro; printf r >ro/r; chmod 555 ro`)
	var states []map[string]string
	for i, change := range []string{"",
		`rm stays/one; printf three >stays/three; rm becomes; mkdir becomes; printf in >becomes/in; printf w >ro/w`,
		`rm -r gone todir.d; printf file >todir.d; rm -r becomes; printf again >becomes; printf 33 >stays/three`,
		`rm becomes; mkdir becomes; printf late >becomes/late; mkdir gone; printf new >gone/new; chmod 700 ro`,
	} {
		s.shell(change)
		states = append(states, tree(s.t, s.source))
		if apart {
			settle(s.t, s.source)
		}
		s.napback(0, day(i))
	}
	return states
}

func (s *site) mustEqual(what string, want map[string]string, root string) {
	s.t.Helper()
	if d := difference(want, tree(s.t, root)); d != "" {
		s.t.Errorf("%s differs:\n%s", what, d)
	}
}

func TestRestoreBringsBackEachDay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		block []string
		apart bool
		args  func(secret string) []string
	}{
		"not encrypted":   {[]string{"Compression zstd"}, true, func(string) []string { return nil }},
		"with gpg":        {[]string{encrypted, "Compression gzip"}, false, func(string) []string { return nil }},
		"with a key file": {[]string{encrypted, "Compression xz"}, false, func(secret string) []string { return []string{"--secret-key", secret} }},
		"not compressed":  {[]string{encrypted, "Compression none"}, false, func(secret string) []string { return []string{"-k", secret} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.block...)
			secret := s.newKey("")
			states := s.fourDays(c.apart)
			s.must(os.RemoveAll(s.diffs)) // a new machine has no state
			for i, want := range states {
				to := filepath.Join(t.TempDir(), "new", "dir")
				e := s.cmd(0, append(append([]string{"restore", "--at", day(i), "--to", to}, c.args(secret)...), "job")...)
				s.mustEqual(day(i), want, filepath.Join(to, s.source))
				if e.out != fmt.Sprintf("restored Directory %s as of %s to %s\n", s.source, day(i), to) {
					t.Errorf("stdout %q", e.out)
				}
			}
			to := t.TempDir() // empty
			s.cmd(0, append(append([]string{"restore", "--to", to}, c.args(secret)...), s.source)...)
			s.mustEqual("the newest", states[len(states)-1], filepath.Join(to, s.source))
		})
	}
}

// tar warns of such times with the name as it is.
func TestOldTimesUnderOddNamesRestoreQuietly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.shell(`for n in $'a\nb' plain 'x: Cannot open: y'; do echo 1 >"$n"; touch -d 1960-01-01 "$n"; done; echo 2 >$'later\non'; touch -d 2100-01-01 $'later\non'`)
	s.napback(0, day(0))
	to := filepath.Join(s.dir, "to")
	if e := s.cmd(0, "restore", "--to", to, "job"); strings.Contains(e.stderr, "stamp") {
		t.Error(e)
	}
	s.mustEqual("what was restored", tree(t, s.source), filepath.Join(to, s.source))
}

func TestRestoreWithAPassphraseFile(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("open sesame")
	s.write("f", "x")
	s.napback(0, day(0))
	right, wrong := filepath.Join(s.dir, "right"), filepath.Join(s.dir, "wrong")
	s.must(os.WriteFile(right, []byte("open sesame\n"), 0o600))
	s.must(os.WriteFile(wrong, []byte("sesame\n"), 0o600))
	to := filepath.Join(s.dir, "out")
	e := s.cmd(1, "restore", "--to", to, "-k", secret, "--passphrase-file", wrong, "job")
	if _, err := os.Lstat(to); !os.IsNotExist(err) || !strings.Contains(e.stderr, "wrong passphrase") {
		t.Errorf("a wrong passphrase: %v, and %q exists: %v", e, to, err)
	}
	s.cmd(0, "restore", "--to", to, "-k", secret, "--passphrase-file", right, "job")
	s.mustEqual("the newest", tree(t, s.source), filepath.Join(to, s.source))
}

// Without a terminal nobody can be asked; the chain must not wait for ever.
func TestRestoreAsksNobodyWithoutATerminal(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("open sesame")
	s.write("f", "x")
	s.napback(0, day(0))
	s.setup = func(cmd *exec.Cmd) { cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true} }
	e := s.cmd(1, "restore", "--to", filepath.Join(s.dir, "out"), "-k", secret, "job")
	if !strings.Contains(e.stderr, "no terminal to ask") || !strings.Contains(e.stderr, "hint: use --passphrase-file FILE") {
		t.Error(e)
	}
}

// A stage that fails after all data has come out must not look like success.
func TestAFailureOfAnyStageIsAFailure(t *testing.T) {
	for _, stage := range []string{"s3get", "zstd", "tar"} {
		t.Run(stage, func(t *testing.T) {
			s := newSite(t)
			s.fourDays(false)
			s.fake(stage, `case " $* " in *" --version "*) exec $REAL "$@";; esac; $REAL "$@"; exit 1`)
			to := filepath.Join(t.TempDir(), "out")
			e := s.tool("napback", "-c", s.conf, "restore", "--to", to, "job")
			if e.code == 0 || e.code == 3 || e.out != "" || !strings.Contains(e.stderr, stage+": exit status 1") || !strings.Contains(e.stderr, "is not a complete restore") {
				t.Error(e)
			}
		})
	}
}

func TestRestorePretendsAsAShellWouldDoIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	states := s.fourDays(true)
	to := t.TempDir()
	e := s.cmd(0, "restore", "-p", "--to", to, "job")
	s.mustEqual("the destination of -p", map[string]string{".": tree(t, to)["."]}, to)
	cmd := exec.Command("bash", "-c", "set -eo pipefail\n"+e.out)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v: %s", e.out, err, out)
	}
	s.mustEqual("what -p printed", states[3], filepath.Join(to, s.source))
}

func TestRestoreAsAUserWhoMayNotDoEverything(t *testing.T) {
	s := newSite(t)
	s.shell(`umask 022; mkdir d; printf x >d/f; chown 1234:4321 d/f; chmod 444 d/f; chmod 555 d; mkdir e; printf y >e/g`)
	s.napback(0, day(0))
	s.shell(`chmod 755 d; printf z >d/h; chmod 555 d; rm e/g`)
	s.napback(0, day(1))
	want := tree(t, s.source)
	to := filepath.Join(s.dir, "out")
	s.asUser()
	s.cmd(0, "restore", "--to", to, "job")
	owner := regexp.MustCompile(`owner \d+:\d+`)
	got := tree(t, filepath.Join(to, s.source))
	for _, m := range []map[string]string{want, got} {
		for name, what := range m {
			m[name] = owner.ReplaceAllString(what, "")
		}
	}
	if d := difference(want, got); d != "" {
		t.Error(d)
	}
	// What cannot be made is told, and the rest is there.
	s.asRoot()
	s.shell(`mknod null c 1 3; printf later >e/later`)
	s.napback(0, day(2))
	s.asUser()
	s.must(os.RemoveAll(to))
	e := s.cmd(1, "restore", "--to", to, "job")
	if !strings.Contains(e.stderr, "null: Cannot mknod") || !strings.Contains(e.stderr, "is not a complete restore") || e.out != "" {
		t.Error(e)
	}
	if data, err := os.ReadFile(filepath.Join(to, s.source, "e/later")); string(data) != "later" {
		t.Errorf("the rest is not there: %v", err)
	}
}

func TestAnInterruptedRestoreSaysSo(t *testing.T) {
	s := newSite(t)
	s.fourDays(false)
	s.fake("zstd", `echo started >&2; sleep 1000 & wait`)
	to := filepath.Join(s.dir, "out")
	cmd := s.command(t.Context(), "napback", "-c", s.conf, "restore", "--to", to, "job")
	stderr, err := cmd.StderrPipe()
	s.must(err)
	s.must(cmd.Start())
	lines := bufio.NewScanner(stderr)
	var said strings.Builder
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "extracting") {
			s.must(cmd.Process.Signal(os.Interrupt))
		}
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(said.String(), "interrupted") {
		t.Errorf("exit %d: %s", code, said.String())
	}
}
