package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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
	home := filepath.Join(s.dir, "gnupg")
	s.must(os.Mkdir(home, 0o700))
	s.env = append(s.env, "GNUPGHOME="+home)
	gpg := func(args ...string) {
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("gpg %q: %v\n%s", args, err, out)
		}
	}
	gpg("--quick-generate-key", "backup@example.org", "future-default", "default", "never")
	secret = filepath.Join(s.dir, "secret.pgp")
	gpg("--output", secret, "--export-secret-keys", "backup@example.org")
	s.must(os.Chmod(secret, 0o600))
	s.t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run() })
	return secret
}

const encrypted = "GpgRecipient backup@example.org"

// history makes four days of backups: a FULL and three DIFFs, which do not hold
// what has not changed. It returns the source's tree of each day.
func (s *site) history() []map[string]string { return s.fourDays(settle) }

// quickHistory is history for tests that are not about what DIFFs hold: each
// holds everything.
func (s *site) quickHistory() []map[string]string { return s.fourDays(func() {}) }

func (s *site) fourDays(pause func()) []map[string]string {
	s.t.Helper()
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
		pause()
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
		pause func()
		args  func(secret string) []string
	}{
		"not encrypted":   {[]string{"Compression zstd"}, settle, func(string) []string { return nil }},
		"with gpg":        {[]string{encrypted, "Compression gzip"}, func() {}, func(string) []string { return nil }},
		"with a key file": {[]string{encrypted, "Compression xz"}, func() {}, func(secret string) []string { return []string{"--secret-key", secret} }},
		"not compressed":  {[]string{encrypted, "Compression none"}, func() {}, func(secret string) []string { return []string{"-k", secret} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.block...)
			secret := s.newKey("")
			states := s.fourDays(c.pause)
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

func TestRestoreOfPathsTakesOnlyThese(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	states := s.history()
	for _, c := range []struct {
		day   int
		paths []string
		want  []string // names, below which everything is to be there
	}{
		{3, []string{"stays/two"}, []string{"stays/two"}},     // from the FULL
		{3, []string{"stays/three"}, []string{"stays/three"}}, // from the second DIFF
		{1, []string{"stays/three"}, []string{"stays/three"}}, // an older version
		{0, []string{"stays/one"}, []string{"stays/one"}},     // from a FULL alone
		{3, []string{"stays"}, []string{"stays/three", "stays/two", "stays/soft", "stays"}},
		{0, []string{"gone"}, []string{"gone", "gone/deep", "gone/deep/file"}},
		{3, []string{"gone"}, []string{"gone", "gone/new"}},                     // a second life
		{3, []string{"becomes"}, []string{"becomes", "becomes/late"}},           // file, directory, file, directory
		{2, []string{"becomes"}, []string{"becomes"}},                           // file, directory, file
		{1, []string{"becomes"}, []string{"becomes", "becomes/in"}},             // file, directory
		{2, []string{"todir.d", "new\nline"}, []string{"todir.d", "new\nline"}}, // a directory before
		{1, []string{"ro", "ro/r", "ro/w"}, []string{"ro", "ro/r", "ro/w"}},
		{3, []string{"sparse", "owned", "fifo"}, []string{"sparse", "owned", "fifo"}},
	} {
		to := filepath.Join(t.TempDir(), "out")
		s.cmd(0, append([]string{"restore", "--at", day(c.day), "--to", to, "job"}, c.paths...)...)
		want := map[string]string{}
		for _, name := range c.want {
			want[name] = states[c.day][name]
		}
		got := tree(t, filepath.Join(to, s.source))
		for name, what := range got {
			// tar makes what is above a path; the hard link's other name is
			// elsewhere.
			if _, wanted := want[name]; !wanted && (strings.Contains(strings.Join(c.want, " "), name+"/") || name == ".") {
				delete(got, name)
			}
			if name == "stays/hard" && what != "" {
				delete(got, name)
			}
		}
		if d := difference(want, got); d != "" {
			t.Errorf("%q as of day %d:\n%s", c.paths, c.day, d)
		}
	}
}

func TestRestoreOfAPathThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.history()
	for _, c := range []struct {
		day  int
		path string
		want string
	}{
		{0, "nothing", "the backup of " + day(0) + " does not hold it"},
		{3, "nothing", "the backup of " + day(3) + " does not hold it"},
		{3, "stays/one", "does not hold it"}, // deleted since the FULL
		{2, "gone/deep/file", "does not hold it"},
		{3, "stay", "does not hold it"}, // only the beginning of a name
		{3, "/etc/passwd", "it is not inside of " + s.source},
		{3, "../src2", "it is not inside of " + s.source},
	} {
		to := filepath.Join(t.TempDir(), "out")
		e := s.cmd(4, "restore", "--at", day(c.day), "--to", to, "job", c.path)
		if !strings.Contains(e.stderr, c.want) || e.out != "" {
			t.Errorf("%q as of day %d: %v", c.path, c.day, e)
		}
		if _, err := os.Lstat(to); !os.IsNotExist(err) {
			t.Errorf("%q as of day %d: the destination is left behind", c.path, c.day)
		}
	}
}

func TestRestoreRefusesADestinationThatIsNotEmpty(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	to := t.TempDir()
	mine := filepath.Join(to, ".mine")
	s.must(os.WriteFile(mine, []byte("mine"), 0o600))
	e := s.cmd(1, "restore", "--to", to, "job")
	if data, err := os.ReadFile(mine); err != nil || string(data) != "mine" || !strings.Contains(e.stderr, `is not empty: it holds ".mine"`) {
		t.Errorf("%v, the file is %q, %v", e, data, err)
	}
	if e := s.cmd(1, "restore", "--to", mine, "job"); !strings.Contains(e.stderr, "not a directory") {
		t.Error(e)
	}
}

func TestRestoreNamesWhatIsWrongWithTheCommand(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{2, nil, "no job is named"},
		{2, []string{"job"}, "no destination is given"},
		{2, []string{"--to", "x", "--in-place", "job"}, "two destinations"},
		{2, []string{"job", "--to", "x"}, `argument "--to": options come before the job`},
		{2, []string{"--to", "x", "--at", "yesterday", "job"}, `--at "yesterday": want a date`},
		{2, []string{"--to", "x", "--passphrase-file", "p", "job"}, "--passphrase-file is for --secret-key"},
		{2, []string{"--nonsense", "job"}, "nonsense"},
		{4, []string{"--to", "x", "nojob"}, `job "nojob": no such job`},
		{4, []string{"--to", "x", "--at", "2001-01-01", "job"}, `no archive as of 2001-01-01`},
		{4, []string{"--to", "x", "--host", "elsewhere", "job"}, `host "elsewhere" has stored no archive`},
	} {
		e := s.cmd(c.code, append([]string{"restore"}, c.args...)...)
		if !strings.Contains(e.stderr, c.want) || e.out != "" {
			t.Errorf("%q: want %q, got %v", c.args, c.want, e)
		}
	}
	if e := s.tool("napback", "restore", "--to", "x", "job"); e.code != 2 || !strings.Contains(e.stderr, "no configuration is given") {
		t.Error(e)
	}
	if _, err := os.Lstat("x"); err == nil {
		t.Error("a destination was made")
	}
}

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
	get := exec.Command("bash", "-c", `"$0" "$1" | zstd -dq`, filepath.Join(binDir, "s3get"), "bk:"+name)
	get.Env = s.command(s.t.Context(), "s3get").Env
	stream, err := get.Output()
	s.must(err)
	args := []string{"-o", "pipefail", "-c", `zstd -q | "$0" "$@"`, filepath.Join(binDir, "s3put"), "bk:" + name}
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
	if e := s.cmd(5, "verify", "--unpack"); !strings.Contains(e.out, "BAD ") || !strings.Contains(e.stderr, "not a whole tar archive") {
		t.Error(e)
	}
	e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "cut"), "job")
	if !strings.Contains(e.stderr, "Unexpected EOF in archive") && !strings.Contains(e.stderr, "tar: exit status 2") || e.out != "" {
		t.Error(e)
	}
	s.napback(0, day(0), "-f")
	s.spoil("job-0-FULL", func(stream []byte) []byte {
		i := bytes.Index(stream, []byte("second"))
		stream[i-400]++ // in the header
		return stream
	})
	if e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "spoiled"), "job"); !strings.Contains(e.stderr, "tar: exit status 2") {
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

// A stage that fails after all data has come out must not look like success.
func TestAFailureOfAnyStageIsAFailure(t *testing.T) {
	for _, stage := range []string{"s3get", "zstd", "tar"} {
		t.Run(stage, func(t *testing.T) {
			s := newSite(t)
			s.quickHistory()
			s.fake(stage, `case " $* " in *" --version "*) exec $REAL "$@";; esac; $REAL "$@"; exit 1`)
			to := filepath.Join(t.TempDir(), "out")
			e := s.tool("napback", "-c", s.conf, "restore", "--to", to, "job")
			if e.code == 0 || e.code == 3 || e.out != "" || !strings.Contains(e.stderr, stage+": exit status 1") || !strings.Contains(e.stderr, "is not a complete restore") {
				t.Error(e)
			}
		})
	}
}

func TestRestoreInPlaceShowsAndDeletesWhatTheBackupDoesNotHave(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Exclude cache")
	s.write("cache/c", "known and excluded since the FULL")
	states := s.history()
	s.write("gone/cache/c", "excluded, but the FULL does not know it")
	s.napback(0, day(4))
	clean := states[2]
	s.shell(`printf extra >extra; mkdir -p stays/newdir; printf changed >stays/two; rm stays/soft; rm -rf becomes; mkdir becomes; printf x >becomes/x`)
	before := tree(t, s.source)
	e := s.cmd(2, "restore", "--in-place", "--at", day(2), "job")
	if !strings.Contains(e.stderr, "hint: -y answers yes") {
		t.Error(e)
	}
	s.mustEqual("what was not confirmed", before, s.source)
	e = s.cmd(0, "restore", "--in-place", "-y", "--at", day(2), "job")
	var shown []string
	for line := range strings.Lines(e.stderr) {
		if path, ok := strings.CutPrefix(line, "  "+s.source); ok {
			shown = append(shown, strings.TrimSpace(path))
		}
	}
	if got, want := strings.Join(shown, " "), "/becomes/ /extra /gone/ /stays/newdir/"; got != want {
		t.Errorf("shown as deleted: %s, want %s\n%v", got, want, e)
	}
	s.mustEqual("the source restored in place", clean, s.source)
}

func TestRestoreInPlaceOfAPathLeavesTheRest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	states := s.history()
	s.shell(`printf extra >extra; printf changed >stays/two; printf extra >stays/extra; printf mine >gone/new`)
	want := tree(t, s.source)
	e := s.cmd(0, "restore", "--in-place", "-y", "job", "stays")
	if strings.Contains(e.stderr, s.source+"/extra") || !strings.Contains(e.stderr, s.source+"/stays/extra\n") {
		t.Error(e)
	}
	delete(want, "stays/extra")
	got := tree(t, s.source)
	for _, name := range []string{"stays", "stays/two", "stays/three"} {
		want[name] = states[3][name]
	}
	// Links to a file outside of the path are made anew.
	for _, m := range []map[string]string{want, got} {
		delete(m, "stays/hard")
		delete(m, "linked")
	}
	if d := difference(want, got); d != "" {
		t.Error(d)
	}
}

// randomHistory is a site with four days of random changes.
type randomHistory struct {
	*site
	*mutator
	states []map[string]string
}

// newHistories makes some, all at the same time, since each day takes a while.
func newHistories(t *testing.T, n int, seed uint64, extra ...string) []randomHistory {
	t.Helper()
	all := make([]randomHistory, n)
	for i := range all {
		s := newSite(t, extra...)
		all[i] = randomHistory{site: s, mutator: &mutator{s.source, rand.New(rand.NewPCG(uint64(i), seed)), 0}}
	}
	for d := range 4 {
		for i := range all {
			for range []int{30, 4, 7, 5}[d] {
				all[i].step()
			}
			all[i].shell("test -e never-empty || mkdir never-empty")
			all[i].states = append(all[i].states, tree(t, all[i].source))
		}
		settle()
		for i := range all {
			all[i].napback(0, day(d))
		}
	}
	return all
}

// Whatever is on the disk, it is there after a restore in place, or in the
// backup, or was shown before.
func TestRestoreInPlaceDeletesExactlyWhatItShows(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(` links .* size`) // excluded names count as links
	excluded := func(name string) bool { return strings.Contains("/"+name+"/", "/e/") }
	for seed, h := range newHistories(t, 12, 2, "Exclude e") {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s, m, states := h.site, h.mutator, h.states
			for range 15 {
				m.step()
			}
			before := tree(t, s.source)
			at := m.IntN(4)
			e := s.cmd(0, "restore", "--in-place", "-y", "--at", day(at), "job")
			after := tree(t, s.source)
			var shown []string
			for line := range strings.Lines(e.stderr) {
				if path, ok := strings.CutPrefix(line, "  "+s.source+"/"); ok {
					shown = append(shown, strings.TrimRight(path, "/\n"))
				}
			}
			isDir := func(m map[string]string, name string) bool { return strings.HasPrefix(m[name], "mode 4") }
			for name, want := range states[at] {
				if got := after[name]; !excluded(name) && links.ReplaceAllString(got, "") != links.ReplaceAllString(want, "") {
					t.Errorf("%q is %q, want %q", name, got, want)
				}
			}
			for name := range after {
				_, was := before[name]
				_, backup := states[at][name]
				if !backup && (!was || !excluded(name)) {
					t.Errorf("%q is there, but neither in the backup nor excluded", name)
				}
			}
			for name := range before {
				_, is := after[name]
				if told := insideAny(name, shown) && len(shown) > 0; !is && !told {
					t.Errorf("%q is deleted, but was not shown among %q", name, shown)
				}
			}
			for _, name := range shown {
				if _, is := after[name]; is && isDir(before, name) == isDir(after, name) {
					t.Errorf("%q was shown as deleted, but is there", name)
				}
			}
		})
	}
}

func TestRestoreOfRandomPathsIsExact(t *testing.T) {
	t.Parallel()
	for seed, h := range newHistories(t, 8, 3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s, m, states := h.site, h.mutator, h.states
			// Links to files outside of a path cannot be links any more.
			same := func(what string) string { return regexp.MustCompile(` links .* size`).ReplaceAllString(what, " size") }
			for range 12 {
				at := m.IntN(4)
				names := slices.Sorted(maps.Keys(states[at]))
				name := names[m.IntN(len(names))]
				to := filepath.Join(t.TempDir(), "out")
				s.cmd(0, "restore", "--at", day(at), "--to", to, "job", name)
				got := tree(t, filepath.Join(to, s.source))
				for n, want := range states[at] {
					wanted := name == "." || insideAny(n, []string{name})
					if wanted && same(got[n]) != same(want) {
						t.Errorf("path %q as of day %d: %q is %q, want %q", name, at, n, got[n], want)
					}
				}
				for n := range got {
					if _, ok := states[at][n]; !ok || name != "." && n != "." && !insideAny(n, []string{name}) && !insideAny(name, []string{n}) {
						t.Errorf("path %q as of day %d: %q is too many", name, at, n)
					}
				}
			}
		})
	}
}

// An excluded directory that came into being after the FULL, in a directory that
// did, is nothing that the FULL knows.
func TestRestoreInPlaceShowsWhatTheFullDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Exclude cache")
	s.write("old/cache/c", "stays")
	s.write("old/file", "x")
	settle()
	s.napback(0, day(0))
	s.write("old/sub/kept", "k")
	s.write("old/sub/cache/c", "goes")
	s.write("cache", "goes")
	want := tree(t, s.source)
	settle()
	s.napback(0, day(1))
	e := s.cmd(0, "restore", "--in-place", "-y", "job")
	if !strings.Contains(e.stderr, "2 entries") || !strings.Contains(e.stderr, "  "+s.source+"/cache\n  "+s.source+"/old/sub/cache/\n") {
		t.Error(e)
	}
	delete(want, "cache")
	delete(want, "old/sub/cache")
	delete(want, "old/sub/cache/c")
	s.mustEqual("the source", want, s.source)
}

// A file of which only one of several names is wanted comes under that name,
// whatever signs are in it, and leaves the others alone.
func TestRestoreOfAPathMendsHardLinks(t *testing.T) {
	const odd = `a,b&c\d[e]*^$.x;s#1 `
	s := newSite(t)
	s.write("a/"+odd+"target", "old")
	s.must(os.MkdirAll(filepath.Join(s.source, "b", odd), 0o755))
	for _, name := range []string{"b/first\nline", "b/" + odd + "/second"} {
		s.must(os.Link(filepath.Join(s.source, "a", odd+"target"), filepath.Join(s.source, name)))
	}
	s.must(os.Chmod(filepath.Join(s.source, "b", odd), 0o555))
	s.napback(0, day(0))
	// tar stores a file under the first of its names.
	want := tree(t, filepath.Join(s.source, "b"))
	links := regexp.MustCompile(`links \d+`)
	same := func(what string, root string) {
		t.Helper()
		got := tree(t, filepath.Join(root, "b"))
		for _, m := range []map[string]string{want, got} {
			for name, text := range m {
				m[name] = links.ReplaceAllString(text, "")
			}
		}
		if d := difference(want, got); d != "" {
			t.Errorf("%s:\n%s", what, d)
		}
	}
	to := filepath.Join(s.dir, "restored")
	if e := s.cmd(0, "restore", "--to", to, "job", "b"); !strings.Contains(e.stderr, "again for 2 files") {
		t.Error(e)
	}
	same("to a new directory", filepath.Join(to, s.source))
	if _, err := os.Lstat(filepath.Join(to, s.source, "a")); !os.IsNotExist(err) {
		t.Errorf("what was not asked for is there, too: %v", err)
	}
	// In place the other name is there, but is another file by now.
	other := filepath.Join(s.source, "a", odd+"target")
	s.must(os.WriteFile(other+"2", []byte("new"), 0o644))
	s.must(os.Rename(other+"2", other))
	s.cmd(0, "restore", "--in-place", "-y", "job", "b")
	same("in place", s.source)
	if data, err := os.ReadFile(other); err != nil || string(data) != "new" {
		t.Errorf("the other file is %q, %v", data, err)
	}
}

func TestRestoreInPlaceSparesMountedFileSystems(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	mnt := filepath.Join(s.source, "new", "mnt")
	s.must(os.MkdirAll(mnt, 0o755))
	if err := unix.Mount("tmpfs", mnt, "tmpfs", 0, ""); err != nil {
		t.Fatalf("mount: %v", err)
	}
	defer unix.Unmount(mnt, 0)
	s.must(os.WriteFile(filepath.Join(mnt, "keep"), nil, 0o600))
	e := s.cmd(1, "restore", "--in-place", "-y", "job")
	if _, err := os.Lstat(filepath.Join(mnt, "keep")); err != nil || !strings.Contains(e.stderr, "where a file system is mounted") {
		t.Errorf("%v, %v", e, err)
	}
}

func TestRestorePretendsAsAShellWouldDoIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	states := s.history()
	to := t.TempDir()
	e := s.cmd(0, "restore", "-p", "--to", to, "job")
	s.mustEqual("the destination of -p", map[string]string{".": tree(t, to)["."]}, to)
	cmd := exec.Command("bash", "-c", "set -eo pipefail\n"+e.out)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s\n%v: %s", e.out, err, out)
	}
	s.mustEqual("what -p printed", states[3], filepath.Join(to, s.source))
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
		var got standing
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
	s.setup = nil
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
	s.quickHistory()
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
