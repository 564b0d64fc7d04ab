//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/napback/state"
)

// wantArchives checks the names of what is committed.
func (s *site) wantArchives(want ...string) {
	s.t.Helper()
	got := s.archives()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.t.Errorf("archives %q; want %q", got, want)
	}
}

// stored checks that a day can be restored as the source is now.
func (s *site) stored(date string) {
	s.t.Helper()
	s.mustRestore(date, tree(s.t, s.source))
}

func (s *site) record() state.Record {
	s.t.Helper()
	var r state.Record
	data, err := os.ReadFile(s.recordFile())
	s.must(err)
	s.must(json.Unmarshal(data, &r))
	return r
}

// recordFile is where the only state of the job is.
func (s *site) recordFile() string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.diffs, "job+*.napback"))
	s.must(err)
	files = slices.DeleteFunc(files, func(f string) bool { return strings.Contains(filepath.Base(f), "@") })
	if len(files) != 1 {
		s.t.Fatalf("states %q; want one", files)
	}
	return files[0]
}

func TestADayIsDoneOnce(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	if e := s.napback(0, day(0)); !strings.Contains(e.out, "job-0-FULL") || !strings.Contains(e.out, " ok ") {
		t.Error(e)
	}
	s.write("b", "2")
	if e := s.napback(0, day(0)); !strings.Contains(e.out, "done today") || strings.Contains(e.stderr, "error") {
		t.Error(e)
	}
	s.napback(0, day(1))
	s.wantArchives("job-0-FULL", "job-1-DIFF")
	s.stored(day(1))
}

// s3napback lost the day's first changes here.
func TestForcedRepetitionLosesNothing(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	s.write("b", "morning")
	s.napback(0, day(1))
	s.write("c", "evening")
	for range 3 {
		s.napback(0, day(1), "-f")
		s.wantArchives("job-0-FULL", "job-1-DIFF")
		s.stored(day(1))
	}
	s.write("d", "next day")
	s.napback(0, day(2))
	s.stored(day(2))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF")
}

// The FULL that took the place of a DIFF is what the repetition would build on,
// and then retire.
func TestForcedRepetitionOfAFullInADiffSlot(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(1)) // there is no FULL yet
	s.wantArchives("job-1-FULL")
	s.write("b", "2")
	s.napback(0, day(1), "-f")
	s.wantArchives("job-1-FULL")
	s.stored(day(1))
	s.write("c", "3")
	s.napback(0, day(2))
	s.wantArchives("job-1-FULL", "job-2-DIFF")
	s.stored(day(2))
}

func TestASlotThatChangesItsTypeRetiresTheOther(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	s.write("b", "2")
	s.napback(0, day(1))
	s.configure(s.block("Exclude *.tmp"))
	if e := s.napback(0, day(1), "-f"); !strings.Contains(e.stderr, "excludes or schedule have changed") {
		t.Error(e)
	}
	s.wantArchives("job-0-FULL", "job-1-FULL")
	s.stored(day(1))
	s.configure(s.block())
	s.write("c", "3")
	s.napback(0, day(1), "-f") // back to the state before: a DIFF again
	s.wantArchives("job-0-FULL", "job-1-DIFF")
	s.stored(day(1))
}

func TestForceOnADayThatIsNotDueUsesTheLastTurn(t *testing.T) {
	s := newSite(t, "Frequency 4")
	s.write("a", "1")
	due := 0
	for s.napback(0, day(due)); len(s.archives()) == 0; s.napback(0, day(due)) {
		due++
	}
	first := s.archives()
	s.write("b", "2")
	if e := s.napback(0, day(due+1)); !strings.Contains(e.out, "not due") {
		t.Error(e)
	}
	s.napback(0, day(due+1), "-f")
	if got := s.archives(); !slices.Equal(got, first) {
		t.Errorf("archives %q, before %q", got, first)
	}
	s.stored(day(due + 1))
}

func TestAMissedFullIsMadeUpForOnTheNextDay(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	for n := range 4 {
		s.napback(0, day(n))
	}
	s.write("b", "2")
	if e := s.napback(0, day(5)); !strings.Contains(e.stderr, "the FULL of this cycle is missing") {
		t.Error(e)
	}
	s.write("c", "3")
	s.napback(0, day(6))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF", "job-3-DIFF", "job-5-FULL", "job-6-DIFF")
	s.stored(day(6))
	for n := 7; n <= 15; n++ { // slot 5 is a DIFF again a round later
		s.write("d", fmt.Sprint(n))
		s.napback(0, day(n))
		s.stored(day(n))
	}
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF", "job-3-DIFF", "job-4-FULL", "job-5-DIFF", "job-6-DIFF", "job-7-DIFF")
}

func TestAChainThatLostALinkBeginsAnew(t *testing.T) {
	for _, lost := range []string{"job-0-FULL", "job-1-DIFF", "job-2-DIFF"} {
		t.Run(lost, func(t *testing.T) {
			s := newSite(t)
			s.write("a", "1")
			for n := range 3 {
				s.write("b", fmt.Sprint(n))
				s.napback(0, day(n))
			}
			s.tool("s3rm", "-y", "bk:"+lost)
			if e := s.napback(0, day(3)); !strings.Contains(e.stderr, "is not in the bucket") || !strings.Contains(e.out, "job-3-FULL") {
				t.Error(e)
			}
			s.stored(day(3))
		})
	}
}

// napback dies by SIGKILL: before the upload has ended, after it has asked for
// the commit that then fails, and after the commit.
func TestKilledNapbackLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		after  []string // what is committed then
	}{
		"while s3put starts":      {`kill -9 $PPID; exec "$REAL" "$@"`, []string{"job-0-FULL"}},
		"while s3put reads":       {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; kill -9 $PPID; exit 6`, []string{"job-0-FULL"}},
		"before s3put commits":    {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; cat <&3 >/dev/null; kill -9 $PPID; exit 1`, []string{"job-0-FULL"}},
		"after s3put committed":   {`"$REAL" "$@"; kill -9 $PPID`, []string{"job-0-FULL", "job-1-DIFF"}},
		"s3put killed at its end": {`echo "${@: -1}:20991231T000000Z-aaaa"; cat >/dev/null; cat <&3 >/dev/null; kill -9 $$`, []string{"job-0-FULL"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("a", "1")
			s.napback(0, day(0))
			s.write("b", "2")
			s.fake("s3put", c.script)
			if e := s.tool("napback", "-c", s.conf, "--date", day(1)); e.code == 0 {
				t.Fatal(e)
			}
			s.real()
			for range 200 { // s3put may outlive napback a moment
				if slices.Equal(s.archives(), c.after) && s.incomplete() == 0 {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			s.wantArchives(c.after...)
			s.mustRestore(day(0), func() map[string]string { // still restores
				return tree(t, s.restore(day(0)))
			}())
			s.write("c", "3")
			s.napback(0, day(2))
			s.stored(day(2))
			if r := s.record(); r.Pending != nil {
				t.Errorf("still pending: %+v", r.Pending)
			}
			if files, _ := filepath.Glob(filepath.Join(s.diffs, "*@*")); len(files) != 2 {
				t.Errorf("files left: %q", files)
			}
		})
	}
}

// incomplete counts the runs that are not committed.
func (s *site) incomplete() int {
	return strings.Count(s.tool("s3ls", "-r", "bk").out, "incomplete")
}

func TestAFailedUploadChangesNothing(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	for n := range 5 {
		s.napback(0, day(n))
	}
	s.configure(s.block("Exclude *.tmp")) // the next would retire a DIFF
	before, archives := s.snapshotOfState(), s.archives()
	for name, script := range map[string]string{
		"s3put": `echo "s3put: error: disk full" >&2; exit 1`,
		"zstd":  `head -c 1 >/dev/null; echo no memory >&2; exit 1`,
		"tar":   `[ "$1" = --version ] && exec "$REAL" "$@"; "$REAL" "$@"; echo "tar: Error is not recoverable: exiting now" >&2; exit 2`,
	} {
		s.fake(name, script)
		e := s.napback(1, day(1+8))
		if !strings.Contains(e.stderr, "napback: error: Directory") || !strings.Contains(e.out, "FAILED") {
			t.Errorf("%s: %v", name, e)
		}
		s.real()
		if got := s.archives(); !slices.Equal(got, archives) || s.incomplete() != 0 {
			t.Errorf("%s: archives %q, before %q", name, got, archives)
		}
		if got := s.snapshotOfState(); got != before {
			t.Errorf("%s: state changed", name)
		}
	}
}

// snapshotOfState sums up the files in DiffDir.
func (s *site) snapshotOfState() string {
	var b bytes.Buffer
	files, _ := filepath.Glob(filepath.Join(s.diffs, "*"))
	for _, f := range files {
		data, err := os.ReadFile(f)
		s.must(err)
		fmt.Fprintf(&b, "%s %x\n", f, sha256.Sum256(data))
	}
	return b.String()
}

func TestDaysOutOfOrder(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	s.write("b", "2")
	s.napback(0, day(2))
	s.write("c", "3")
	s.napback(0, day(1)) // caught up
	s.stored(day(1))
	s.write("d", "4")
	s.napback(0, day(3))
	s.stored(day(3))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF", "job-3-DIFF")
	// To repeat what later days build on does not break them.
	last := tree(t, s.source)
	s.write("e", "5")
	for _, d := range []int{0, 2} {
		s.napback(0, day(d), "-f")
		s.stored(day(d))
		s.mustRestore(day(3), last)
	}
}

func TestAClockThatWentBackMakesAFull(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	r := s.record()
	path := filepath.Join(s.diffs, r.Current.Snapshot)
	data, err := os.ReadFile(path)
	s.must(err)
	head, rest, _ := bytes.Cut(data, []byte("\n"))
	_, rest, _ = bytes.Cut(rest, []byte{0})
	data = slices.Concat(head, fmt.Appendf(nil, "\n%d\x00", time.Now().Add(time.Hour).Unix()), rest)
	s.must(os.WriteFile(path, data, 0o600))
	sum := sha256.Sum256(data)
	text, err := os.ReadFile(s.recordFile())
	s.must(err)
	s.must(os.WriteFile(s.recordFile(), bytes.ReplaceAll(text, []byte(r.Current.Sum), []byte(hex.EncodeToString(sum[:]))), 0o600))
	if e := s.napback(0, day(1)); !strings.Contains(e.stderr, "the clock has gone back") || !strings.Contains(e.out, "job-1-FULL") {
		t.Error(e)
	}
}

func TestDamagedStateMakesAFull(t *testing.T) {
	for name, damage := range map[string]func(s *site, r state.Record){
		"record": func(s *site, _ state.Record) {
			s.must(os.WriteFile(s.recordFile(), []byte("{"), 0o600))
		},
		"snapshot cut":     func(s *site, r state.Record) { s.must(os.Truncate(filepath.Join(s.diffs, r.Current.Snapshot), 30)) },
		"snapshot missing": func(s *site, r state.Record) { s.must(os.Remove(filepath.Join(s.diffs, r.Current.Snapshot))) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("a", "1")
			s.napback(0, day(0))
			damage(s, s.record())
			code := 0
			if name == "record" {
				code = 3
			}
			if e := s.napback(code, day(1)); !strings.Contains(e.out, "job-1-FULL") {
				t.Error(e)
			}
			s.stored(day(1))
		})
	}
}

func TestLoudWarnings(t *testing.T) {
	s := newSite(t)
	s.write("big", strings.Repeat("0123456789abcdef", 10000))
	s.napback(0, day(0))
	s.must(os.Remove(filepath.Join(s.source, "big")))
	s.write("small", "x")
	if e := s.napback(3, day(4)); !strings.Contains(e.stderr, "LESS THAN HALF") || !strings.Contains(e.out, "warnings") {
		t.Error(e)
	}
	s.stored(day(4))
	s.must(os.Remove(filepath.Join(s.source, "small")))
	if e := s.napback(3, day(5)); !strings.Contains(e.stderr, "EMPTY") {
		t.Error(e)
	}
	s.stored(day(5))
	s.napback(0, day(6)) // told once
	s.must(os.Remove(s.source))
	if e := s.napback(1, day(7)); !strings.Contains(e.stderr, "the source has vanished") {
		t.Error(e)
	}
	s.must(os.Symlink(s.dir, s.source))
	if e := s.napback(1, day(7)); !strings.Contains(e.stderr, "symbolic link") {
		t.Error(e)
	}
}

func TestTwoRunsAtTheSameTime(t *testing.T) {
	s := newSite(t)
	d, err := state.Open(s.diffs)
	s.must(err)
	release, ok, err := d.Lock()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if e := s.napback(7, day(0)); !strings.Contains(e.stderr, "another napback is running") || e.out != "" {
		t.Error(e)
	}
	s.napback(0, day(0), "-t") // which changes nothing
	release()
	s.napback(0, day(0))
}

func TestAFailedJobDoesNotStopTheOthers(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.configure("Directory /nonexistent/source\nMySQL db\n<Directory /tmp>\nName other\nBucket missing\n</Directory>\n" + s.block())
	e := s.napback(1, day(0))
	for _, want := range []string{"vanished", "connect to local server", `bucket "missing"`} {
		if !strings.Contains(e.stderr, want) {
			t.Errorf("no %q: %v", want, e)
		}
	}
	if strings.Count(e.out, "FAILED  ") != 3 || !strings.Contains(e.out, "job-0-FULL") {
		t.Error(e)
	}
	s.stored(day(0))
}

// asUser makes the tools run as a user to whom files can be unreadable, even if
// the test is root's.
func (s *site) asUser() {
	if os.Geteuid() != 0 {
		return
	}
	const nobody = 65534
	s.giveTo(nobody)
	s.must(os.Chmod(filepath.Dir(s.dir), 0o755))
	s.setup = func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
}

// asRoot ends asUser, if root runs the test: root does not obey another's files.
func (s *site) asRoot() {
	if os.Geteuid() == 0 {
		s.giveTo(0)
		s.setup = nil
	}
}

func (s *site) giveTo(id int) {
	s.must(filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, _ error) error { return os.Lchown(path, id, id) }))
}

func TestWhatCouldNotBeReadIsFetchedOnceItCan(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.write("locked\n\xff/in", "2")
	locked := filepath.Join(s.source, "locked\n\xff")
	s.asUser()
	s.must(os.Chmod(locked, 0))
	if e := s.napback(3, day(0)); !strings.Contains(e.stderr, "1 file could not be read and is not in the archive") {
		t.Error(e)
	}
	s.write("b", "3")
	if e := s.napback(3, day(1)); !strings.Contains(e.out, "job-1-DIFF") || !strings.Contains(e.stderr, "could not be read") {
		t.Error(e)
	}
	s.must(os.Chmod(locked, 0o755))
	if e := s.napback(0, day(2)); !strings.Contains(e.out, "job-2-FULL") || !strings.Contains(e.stderr, "could not be read before and now can be") {
		t.Error(e)
	}
	s.stored(day(2))
	s.must(os.Chmod(s.source, 0))
	if e := s.napback(1, day(3)); !strings.Contains(e.stderr, "source itself could not be read") {
		t.Error(e)
	}
	s.must(os.Chmod(s.source, 0o755))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-FULL")
}

func TestWarningsOfTar(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.fake("tar", `[ "$1" = --version ] && exec "$REAL" "$@"; "$REAL" "$@"; echo "tar: a: file changed as we read it" >&2; exit 1`)
	if e := s.napback(3, day(0)); !strings.Contains(e.stderr, "tar: a: file changed as we read it") {
		t.Error(e)
	}
	if listing := s.tool("s3ls", "--json", "-r", "bk").out; !strings.Contains(listing, `"stages":"tar 1, zstd 0"`) || !strings.Contains(listing, "file changed as we read it") {
		t.Error(listing)
	}
}

func TestARenameUnderTarsEyesIsTriedAgain(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	moved := `[ "$1" = --version ] && exec "$REAL" "$@"; echo >>%[1]q; [ $(wc -l <%[1]q) -le %[2]d ] && echo "tar: x/b: Directory has been renamed from 'x/a'" >&2; exec "$REAL" "$@"`
	s.fake("tar", fmt.Sprintf(moved, filepath.Join(s.dir, "tries"), 2))
	if e := s.napback(0, day(0)); strings.Count(e.stderr, "beginning again") != 2 {
		t.Error(e)
	}
	s.fake("tar", fmt.Sprintf(moved, filepath.Join(s.dir, "tries"), 99))
	if e := s.napback(1, day(1)); !strings.Contains(e.stderr, "renamed all the time") || !strings.Contains(e.stderr, "hint: stop what renames them") {
		t.Error(e)
	}
	s.wantArchives("job-0-FULL") // none that a restore would refuse
	s.real()
	s.napback(0, day(1))
	s.stored(day(1))
}

func TestOtherTarsAreRefused(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.fake("tar", "echo bsdtar 3.7.2")
	for _, program := range []string{"zstd", "bash"} {
		path, err := exec.LookPath(program)
		s.must(err)
		s.must(os.Symlink(path, filepath.Join(s.bin, program)))
	}
	s.path = s.bin
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "bsdtar 3.7.2") || !strings.Contains(e.stderr, "hint: install GNU tar") {
		t.Error(e)
	}
}

// Credentials that may only create objects leave the local state to decide.
func TestCredentialsThatMayNotLook(t *testing.T) {
	s := newSite(t)
	s.fake("s3ls", `echo 's3ls: error: list "bk": access denied' >&2; exit 8`)
	s.fake("s3rm", `echo 's3rm: error: access denied' >&2; exit 8`)
	for n := range 2 {
		s.write("a", fmt.Sprint(n))
		if e := s.napback(0, day(n)); !strings.Contains(e.stderr, "relying on the local state") {
			t.Error(e)
		}
		if e := s.napback(0, day(n)); !strings.Contains(e.out, "done today") {
			t.Error(e)
		}
	}
	s.real()
	s.wantArchives("job-0-FULL", "job-1-DIFF")
	s.stored(day(1))
}

func TestInterruptEndsTheChainAndCleansUp(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	before := s.snapshotOfState()
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(i * i >> 7 * 31)
	}
	s.must(os.WriteFile(filepath.Join(s.source, "noise"), noise, 0o644))
	s.configure("Compression none\nChunkSize 1M\nMemory 1M\nConcurrency 1\nBandwidthLimit 500k\n" + s.block())
	cmd := s.command(t.Context(), "napback", "-c", s.conf, "--date", day(1))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	s.must(cmd.Start())
	for s.chunks() < 4 { // 3 are the first archive's
		time.Sleep(10 * time.Millisecond)
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			t.Fatal("napback ended before its time")
		}
	}
	s.must(cmd.Process.Signal(os.Interrupt))
	asked := time.Now()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || time.Since(asked) > 5*time.Second {
		t.Errorf("exit %d after %v: %s", code, time.Since(asked), stderr.String())
	}
	if n := s.chunks(); n != 3 {
		t.Errorf("%d objects are left", n)
	}
	if got := s.snapshotOfState(); got != before {
		t.Errorf("the state changed:\n%s\n%s", before, got)
	}
}

// chunks counts the objects in the bucket.
func (s *site) chunks() int {
	files, _ := filepath.Glob(filepath.Join(s.store, "bk", "job*"))
	return len(files)
}
