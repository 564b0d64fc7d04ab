//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/napback/catalog"
	"napback/napback/state"
)

// trees are what the source was like on each date.
type trees map[string]map[string]string

// back changes the source and backs it up.
func (s *site) back(code int, kept trees, date string, args ...string) ended {
	s.t.Helper()
	s.write("f", fmt.Sprintf("%s %d", date, len(kept)))
	s.write("of-"+date, "x")
	e := s.napback(code, date, args...)
	kept[date] = tree(s.t, s.source)
	return e
}

// allRestore checks that each of these dates can be restored as it was.
func (s *site) allRestore(kept trees) {
	s.t.Helper()
	for _, date := range slices.Sorted(maps.Keys(kept)) {
		s.mustRestore(date, kept[date])
	}
}

// manifests edits what manifests say. change returns false to leave one alone.
func (s *site) manifests(change func(m map[string]any) bool) {
	s.t.Helper()
	s.must(filepath.WalkDir(s.store, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ":manifest") {
			return err
		}
		data, err := os.ReadFile(path)
		s.must(err)
		var m map[string]any
		s.must(json.Unmarshal(data, &m))
		if !change(m) {
			return nil
		}
		data, err = json.Marshal(m)
		s.must(err)
		return os.WriteFile(path, data, 0o600)
	}))
}

// runs lists the runs of the bucket, by what their manifests say.
func (s *site) runs() []catalog.Entry {
	s.t.Helper()
	l, err := catalog.Read(strings.NewReader(s.tool("s3ls", "--json", "-r", "bk").out))
	s.must(err)
	return l.Entries
}

// nextSecond waits until a run would get another time than those that are there.
func (s *site) nextSecond() {
	for last := time.Now().Unix(); time.Now().Unix() == last; {
		time.Sleep(10 * time.Millisecond)
	}
}

// everythingRestores checks that no archive has lost what it builds on.
func (s *site) everythingRestores() {
	s.t.Helper()
	e := s.tool("napback", "-c", s.conf, "list", "--json")
	if e.code != 0 || strings.Contains(e.out, `"restorable":false`) {
		s.t.Error(e)
	}
}

// Before: the FULL in use was replaced, exit 0, and two DIFFs could not be restored.
func TestAnEarlierDateReplacesNothingThatIsInUse(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 3 {
		s.back(0, kept, day(n))
	}
	if e := s.napback(1, day(-8)); !strings.Contains(e.stderr, "slot 0 holds job-0-FULL of "+day(0)) || !strings.Contains(e.stderr, "hint: -f stores") {
		t.Error(e)
	}
	if e := s.back(3, kept, day(-8), "-f"); !strings.Contains(e.stderr, "both stay until") {
		t.Error(e)
	}
	s.allRestore(kept)
	for n := 3; n < 12; n++ {
		s.back(0, kept, day(n))
		s.everythingRestores()
	}
	for _, old := range []int{-8, 0, 1, 2, 3} {
		delete(kept, day(old)) // their slots were used again
	}
	s.allRestore(kept)
}

// Before: the same, as the slots are numbered anew.
func TestAChangedScheduleBreaksNoChain(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	at := 0
	for _, fulls := range []int{2, 3, 1, 4} {
		s.configure(s.block(fmt.Sprintf("Fulls %d", fulls)))
		s.must(os.WriteFile(s.conf, []byte(strings.Replace(s.readConf(), "  Fulls 2\n", "", 1)), 0o600))
		for range 7 {
			s.back(0, kept, day(at))
			s.everythingRestores()
			at++
		}
	}
	s.stored(day(at - 1))
	if n := len(s.runs()); n > 16+4+8 {
		t.Errorf("%d runs are left", n)
	}
}

func (s *site) readConf() string {
	data, err := os.ReadFile(s.conf)
	s.must(err)
	return string(data)
}

// Every one of the 8 slots holds a day that can be restored, on every day of a round.
func TestEverySlotCanBeRestoredAllTheTime(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 21 {
		s.back(0, kept, day(n))
		delete(kept, day(n-8))
		if n >= 11 && n <= 16 || n == 20 {
			s.allRestore(kept)
		}
		if got := len(s.runs()); got > 8+3 {
			t.Errorf("on day %d there are %d runs", n, got)
		}
	}
	s.everythingRestores()
}

// What was whole before the upload, which may take days, need not be so after it.
func TestNothingIsRetiredForAChainThatWasDamagedMeanwhile(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 11 {
		s.back(0, kept, day(n))
	}
	before := len(s.runs())
	s.fake("tar", fmt.Sprintf(`[ "$1" = --version ] || rm -f %s/bk/job-0-FULL:%s:0000000000000; exec "$REAL" "$@"`, s.store, s.record().Current.Chain))
	s.back(0, kept, day(11)) // the last of its round: the chain of day 0 would go
	if got := len(s.runs()); got != before+1 {
		t.Errorf("%d runs; want %d", got, before+1)
	}
	for n := 8; n < 12; n++ {
		delete(kept, day(n))
	}
	s.allRestore(kept)
}

// deny makes the credentials such that they can create objects and nothing else.
func (s *site) deny() {
	s.fake("s3ls", `echo 's3ls: error: list "bk": access denied' >&2; exit 8`)
	s.fake("s3rm", `echo 's3rm: error: access denied' >&2; exit 8`)
}

// Before: DIFFs in a bucket that has no FULL, exit 0, nothing restorable.
func TestAnotherBucketBeginsWithAFull(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	s.back(0, kept, day(0))
	s.must(os.Rename(filepath.Join(s.store, "bk"), filepath.Join(s.store, "old")))
	s.must(os.Mkdir(filepath.Join(s.store, "bk"), 0o755))
	s.configure(strings.Replace(s.block(), "Name job", "Name job\n  Bucket old", 1))
	s.deny()
	s.back(0, kept, day(1)) // a FULL: the state is of bk
	s.configure(s.block())
	s.must(os.Rename(filepath.Join(s.store, "bk"), filepath.Join(s.store, "gone")))
	s.must(os.Rename(filepath.Join(s.store, "old"), filepath.Join(s.store, "bk")))
	s.real()
	if e := s.tool("s3ls", "bk"); !strings.Contains(e.out, "job-1-FULL") {
		t.Error(e)
	}
	s.mustRestore(day(1), kept[day(1)])
}

// Before: each saw the other's state, and was done today, or built on nothing.
func TestTwoConfigurationsOnOneDiffDir(t *testing.T) {
	s := newSite(t)
	other := filepath.Join(s.dir, "other.conf")
	s.must(os.Mkdir(filepath.Join(s.store, "two"), 0o755))
	s.must(os.WriteFile(other, []byte(strings.Replace(s.readConf(), "Bucket bk", "Bucket two", 1)), 0o600))
	s.deny()
	for n := range 3 {
		s.write("f", fmt.Sprint(n))
		s.napback(0, day(n))
		if e := s.tool("napback", "-c", other, "--date", day(n)); e.code != 0 || strings.Contains(e.out, "done today") {
			t.Error(e)
		}
	}
	s.real()
	for _, bucket := range []string{"bk", "two"} {
		if e := s.tool("s3ls", bucket); !strings.Contains(e.out, "job-0-FULL") || !strings.Contains(e.out, "job-2-DIFF") {
			t.Error(bucket, e)
		}
	}
}

// Before: the second was done today for ever, and only the first's data was stored.
func TestOneNameTwiceOnAHost(t *testing.T) {
	for name, diffs := range map[string]string{"one DiffDir": "diffs", "two DiffDirs": "more"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("f", "1")
			second := filepath.Join(s.dir, "second")
			s.must(os.MkdirAll(second, 0o755))
			s.must(os.MkdirAll(filepath.Join(s.dir, diffs), 0o755))
			s.must(os.WriteFile(filepath.Join(second, "g"), nil, 0o644))
			other := filepath.Join(s.dir, "other.conf")
			s.must(os.WriteFile(other, []byte(strings.NewReplacer(s.source, second, s.diffs, filepath.Join(s.dir, diffs)).Replace(s.readConf())), 0o600))
			s.napback(0, day(0))
			if e := s.tool("napback", "-c", other, "status"); diffs == "diffs" && (e.code != 3 || !strings.Contains(e.out, "NEVER")) {
				t.Error(e) // that the first is well says nothing of the second
			}
			for n := range 10 {
				if e := s.tool("napback", "-c", other, "--date", day(n)); e.code != 3 || !strings.Contains(e.stderr, "are also those of") ||
					!strings.Contains(e.stderr, "Prefix or Name") || strings.Contains(e.out, "done today") || strings.Contains(e.stderr, "going on without it") ||
					n%4 == 2 && !strings.Contains(e.out, "-DIFF ") {
					t.Fatal(e)
				}
				s.write("f", fmt.Sprint(n))
				s.napback(3, day(n), "-f")
			}
			to := filepath.Join(s.dir, "out")
			if e := s.tool("napback", "-c", other, "restore", "--to", to, "job"); e.code != 0 {
				t.Fatal(e)
			}
			if d := difference(tree(t, second), tree(t, filepath.Join(to, second))); d != "" {
				t.Error(d)
			}
			s.cmd(0, "restore", "--to", to+"2", "job")
			if d := difference(tree(t, s.source), tree(t, filepath.Join(to+"2", s.source))); d != "" {
				t.Error(d)
			}
		})
	}
}

// Before: 28 of the next 32 days failed, and the hint was to delete the history.
func TestARenamedHost(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 3 {
		s.back(0, kept, day(n))
	}
	s.manifests(func(m map[string]any) bool { m["host"] = "before"; return true })
	for n := 3; n < 14; n++ {
		s.back(0, kept, day(n))
	}
	s.everythingRestores()
}

// A machine that is set up anew has another owner. Its backups go on; what to do
// about the old ones is for people to say.
func TestArchivesOfAnotherOwner(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 3 {
		s.back(0, kept, day(n))
	}
	before := s.record().Owner
	s.manifests(func(m map[string]any) bool { m["host"] = "before"; return true })
	s.must(os.RemoveAll(s.diffs))
	s.must(os.Mkdir(s.diffs, 0o755))
	if e := s.back(3, kept, day(2)); !strings.Contains(e.stderr, "owner "+before+" (host before, Directory "+s.source+", since ") || !strings.Contains(e.out, "job-2-FULL") {
		t.Error(e)
	}
	if e := s.back(3, kept, day(3)); !strings.Contains(e.out, "job-3-DIFF") {
		t.Error(e)
	}
	if e := s.tool("napback", "-c", s.conf, "check"); e.code != 3 || !strings.Contains(e.out, "WARN archives of job") {
		t.Error(e)
	}
	s.mustRestore(day(3), kept[day(3)])
	to := filepath.Join(s.dir, "out")
	s.cmd(0, "restore", "--owner", before, "--at", day(1), "--to", to, "job")
	if d := difference(kept[day(1)], tree(t, filepath.Join(to, s.source))); d != "" {
		t.Error(d)
	}
	if e := s.cmd(0, "adopt", "job"); !strings.Contains(e.out, "adopted 3 archives; job goes on as owner "+before) {
		t.Error(e)
	}
	for n := 4; n < 12; n++ {
		s.back(0, kept, day(n))
	}
	if e := s.cmd(4, "adopt", "job"); !strings.Contains(e.stderr, "there is no archive to adopt") {
		t.Error(e)
	}
	for n := range 4 {
		delete(kept, day(n))
	}
	s.allRestore(kept)
	if n := len(s.runs()); n > 8+4 {
		t.Errorf("%d runs are left", n)
	}
}

// DiffDir is lost. Whether it is the same machine tells its id, or that nobody has
// stored under the old one for longer than the schedule leaves out.
func TestALostStateIsTakenUpAgain(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 3 {
		s.back(0, kept, day(n))
	}
	before := s.record().Owner
	for _, r := range s.runs() {
		s.later(r.Run, -10)
	}
	s.must(os.RemoveAll(s.diffs))
	s.must(os.Mkdir(s.diffs, 0o755))
	if e := s.napback(0, day(3), "-t"); !strings.Contains(e.out, "going on as owner "+before) {
		t.Error(e)
	}
	if entries, err := os.ReadDir(s.diffs); err != nil || len(entries) != 0 {
		t.Errorf("-t has made %v, %v", entries, err)
	}
	e := s.back(0, kept, day(3))
	if !strings.Contains(e.stderr, "going on as owner "+before) || s.record().Owner != before || !strings.Contains(e.out, "job-3-FULL") {
		t.Error(e)
	}
	s.allRestore(kept)
	for n := 4; n < 16; n++ {
		s.back(0, kept, day(n))
	}
	if n := len(s.runs()); n > 8+3 {
		t.Errorf("%d runs are left", n)
	}
}

// Before: done today. Whoever can write to the bucket could end all backups.
func TestAPlantedArchiveMakesNoDayDone(t *testing.T) {
	s := newSite(t)
	host, err := os.Hostname()
	s.must(err)
	plant := func(owner string, n int) {
		args := []string{"--keep", "-m", "job=job", "-m", "source=Directory " + s.source, "-m", "type=FULL", "-m", "slot=0", "-m", "date=" + day(n)}
		if owner != "" {
			args = append(args, "--owner", owner)
		}
		if e := s.tool("s3put", append(args, "bk:job-0-FULL", "--", "true")...); e.code != 0 {
			t.Fatal(e)
		}
		s.manifests(func(m map[string]any) bool { m["host"] = host; return true })
	}
	plant("", 0)
	s.write("f", "1")
	if e := s.napback(0, day(0)); !strings.Contains(e.out, "job-0-FULL") {
		t.Error(e)
	}
	s.nextSecond()
	plant(s.record().Owner, 1)
	if e := s.napback(3, day(1)); !strings.Contains(e.out, "job-1-FULL") {
		t.Error(e)
	}
}

// Before: the next DIFFs built on it without a word.
func TestNothingIsBuiltOnADamagedArchive(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(s *site)
		says   string
	}{
		"two bytes of the manifest": {func(s *site) {
			s.manifests(func(m map[string]any) bool {
				m["meta"].(map[string]any)["job"] = "jxx"
				return m["run"] == s.record().Current.Chain
			})
		}, "has a manifest that is not as it was stored"},
		"a chunk of the FULL": {func(s *site) {
			s.must(os.Remove(filepath.Join(s.store, "bk", "job-0-FULL:"+s.record().Current.Chain+":0000000000000")))
		}, "is not whole"},
		"the sums of the DIFF": {func(s *site) {
			s.must(os.Remove(filepath.Join(s.store, "bk", "job-1-DIFF:"+s.record().Current.Run+":SHA256SUMS")))
		}, "is not whole"},
		"no manifest at all": {func(s *site) {
			s.must(os.WriteFile(filepath.Join(s.store, "bk", "job-0-FULL:"+s.record().Current.Chain+":manifest"), []byte("{"), 0o600))
		}, "has a manifest that cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.write("a", "1")
			s.napback(0, day(0))
			s.write("b", "2")
			s.napback(0, day(1))
			c.damage(s)
			if e := s.napback(0, day(2)); !strings.Contains(e.out, "job-2-FULL") || !strings.Contains(e.stderr, c.says) {
				t.Error(e)
			}
			s.stored(day(2))
		})
	}
}

// A pending run whose objects are gone is not promoted.
func TestAPendingRunThatIsNotWholeIsNotBuiltOn(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	s.write("b", "2")
	s.fake("s3put", `"$REAL" "$@"; kill -9 $PPID`)
	s.tool("napback", "-c", s.conf, "--date", day(1))
	s.real()
	run := s.record().Pending.Current.Run
	s.must(os.Remove(filepath.Join(s.store, "bk", "job-1-DIFF:"+run+":0000000000000")))
	if e := s.napback(0, day(2)); !strings.Contains(e.stderr, "run "+run+" of job-1-DIFF is not whole") || !strings.Contains(e.out, "job-2-DIFF") {
		t.Error(e)
	}
	s.stored(day(2))
}

// s3put was killed before its commit, and somebody who can create objects has stored
// a manifest for its run.
func TestAPlantedManifestCommitsNoPendingRun(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	s.back(0, kept, day(0))
	s.write("b", "2")
	s.fake("s3put", `"$REAL" "$@"; kill -9 $PPID`)
	s.tool("napback", "-c", s.conf, "--date", day(1))
	s.real()
	run := s.record().Pending.Current.Run
	s.manifests(func(m map[string]any) bool {
		if m["run"] != run {
			return false
		}
		delete(m["meta"].(map[string]any), "token") // nobody has seen that
		m["sums"] = strings.Repeat("0", 64)
		return true
	})
	if e := s.back(0, kept, day(2)); !strings.Contains(e.stderr, "run "+run+" of job-1-DIFF has a manifest that is not") || !strings.Contains(e.out, "job-2-DIFF") {
		t.Error(e)
	}
	s.allRestore(kept)
}

// The state of the version before is taken over where it belongs, and nowhere else.
func TestTheStateOfTheVersionBefore(t *testing.T) {
	for _, moved := range []bool{false, true} {
		s := newSite(t)
		kept := trees{}
		s.back(0, kept, day(0))
		s.back(0, kept, day(1))
		s.downgrade()
		if moved {
			s.must(os.RemoveAll(filepath.Join(s.store, "bk")))
			s.must(os.Mkdir(filepath.Join(s.store, "bk"), 0o755))
			if e := s.back(0, kept, day(2)); !strings.Contains(e.stderr, "of an earlier version is left out") || !strings.Contains(e.out, "job-2-FULL") {
				t.Error(e)
			}
			continue
		}
		if e := s.napback(0, day(1)); !strings.Contains(e.out, "done today") {
			t.Error(e)
		}
		for n := 2; n < 12; n++ {
			s.back(0, kept, day(n))
		}
		if s.record().Owner == "" || len(s.runs()) > 8+3 {
			t.Errorf("owner %q, %d runs", s.record().Owner, len(s.runs()))
		}
		for n := range 4 {
			delete(kept, day(n))
		}
		s.allRestore(kept)
	}
}

// downgrade makes state and bucket what the version before would have made.
func (s *site) downgrade() {
	r := s.record()
	for _, p := range []*state.Point{r.Current, r.Previous} {
		old := "job@" + p.Run + ".napback"
		s.must(os.Rename(filepath.Join(s.diffs, p.Snapshot), filepath.Join(s.diffs, old)))
		p.Snapshot = old
	}
	s.must(os.Remove(s.recordFile()))
	s.must(os.Remove(filepath.Join(s.diffs, "owner")))
	data, err := json.Marshal(state.Record{Format: "napback-state/1", Job: "job", Current: r.Current, Previous: r.Previous})
	s.must(err)
	s.must(os.WriteFile(filepath.Join(s.diffs, "job.napback"), data, 0o600))
	s.manifests(func(m map[string]any) bool {
		delete(m, "owner")
		delete(m, "parent")
		delete(m["meta"].(map[string]any), "machine")
		return true
	})
}

// Without napback too the archives of two owners are not mixed.
func TestTheScriptFollowsTheParents(t *testing.T) {
	s := newSite(t)
	s.write("f", "1")
	s.napback(0, day(0))
	s.nextSecond()
	second := filepath.Join(s.dir, "second")
	s.must(os.MkdirAll(filepath.Join(s.dir, "more"), 0o755))
	s.must(os.MkdirAll(second, 0o755))
	other := filepath.Join(s.dir, "other.conf")
	s.must(os.WriteFile(other, []byte(strings.NewReplacer(s.source, second, s.diffs, filepath.Join(s.dir, "more")).Replace(s.readConf())), 0o600))
	if e := s.tool("napback", "-c", other, "--date", day(0)); e.code != 3 {
		t.Fatal(e)
	}
	s.nextSecond()
	s.write("g", "2")
	s.napback(3, day(1))
	script := func(status int, args ...string) string {
		t.Helper()
		args = append([]string{"../scripts/restore-without-napback.sh", filepath.Join(s.store, "bk"), "job"}, args...)
		cmd := exec.CommandContext(t.Context(), "sh", args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != status {
			t.Fatalf("%q: %v\n%s", args, cmd.ProcessState, out)
		}
		return string(out)
	}
	if out := script(2, t.TempDir()); !strings.Contains(out, "several owners") || !strings.Contains(out, "'"+s.record().Owner+"'") {
		t.Errorf("without an owner it says %s", out)
	}
	to := t.TempDir()
	script(0, to, s.record().Owner)
	if d := difference(tree(t, s.source), tree(t, filepath.Join(to, s.source))); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(filepath.Join(to, second)); err == nil {
		t.Error("the other owner's archive was extracted too")
	}
}

// Whoever stores under a job's name does not write to people's terminals.
func TestForeignNamesAreMadeSafe(t *testing.T) {
	s := newSite(t)
	s.write("f", "1")
	s.napback(0, day(0))
	s.manifests(func(m map[string]any) bool { m["owner"], m["host"] = "other", "h\x1b]0;x\a\nnapback: ok"; return true })
	s.must(os.RemoveAll(s.diffs))
	s.must(os.Mkdir(s.diffs, 0o755))
	e := s.napback(3, day(1))
	if !strings.Contains(e.stderr, "host h?]0;x??napback: ok") || strings.ContainsAny(e.out+e.stderr, "\x1b\a") {
		t.Errorf("%q", e)
	}
	if e := s.tool("napback", "-c", s.conf, "check"); strings.ContainsAny(e.out+e.stderr, "\x1b\a") || e.code != 3 {
		t.Errorf("%q", e)
	}
	if e := s.cmd(4, "adopt", "--owner", "x", "job"); strings.ContainsAny(e.out+e.stderr, "\x1b\a") || !strings.Contains(e.stderr, "other (1 archive of host h?]0;x") {
		t.Errorf("%q", e)
	}
}

// TestTwoConfigurationsOfOneSource: with other excludes, on one
// DiffDir and under one name. Neither calls its day done because of the
// other or retires what the other has, and neither is silent about it.
func TestTwoConfigurationsOfOneSource(t *testing.T) {
	s := newSite(t)
	other := filepath.Join(s.dir, "other.conf")
	s.write("f", "1")
	s.write("log/big", "2")
	first := s.readConf()
	s.must(os.WriteFile(other, []byte(strings.Replace(first, "Name job", "Name job\nExclude log\nCompression gzip", 1)), 0o600))
	for n := range 4 {
		s.napback(0, day(n))
	}
	before := strings.Count(s.tool("s3ls", "-r", "bk").out, "committed")
	for n := 4; n < 8; n++ {
		for i, conf := range []string{other, s.conf} {
			if e := s.tool("napback", "-c", conf, "--date", day(n)); e.code != 3 || strings.Contains(e.out, "done today") ||
				!strings.Contains(e.stderr, "give one of the two a Name of its own") {
				t.Error(n, i, e)
			}
		}
	}
	if after := strings.Count(s.tool("s3ls", "-r", "bk").out, "job-"); after < before+8 {
		t.Errorf("%d archives were %d: some are gone", after, before)
	}
	for n := range 4 {
		to := filepath.Join(s.dir, fmt.Sprint("to", n))
		s.cmd(0, "restore", "--at", day(n), "--to", to, "job")
		s.mustEqual(day(n), tree(t, s.source), filepath.Join(to, s.source))
	}
	if e := s.tool("napback", "-c", s.conf, "--date", day(8)); e.code != 0 {
		t.Error("alone again, it still warns:", e)
	}
}

// TestTwinsRemoveNothingOfEachOther: a copy of a machine, with its machine-id and
// host name, that was given an empty DiffDir goes on as the same owner. While both
// are alive each is told, and neither takes what the other's slots hold.
func TestTwinsRemoveNothingOfEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	twin := filepath.Join(s.dir, "twin.conf")
	s.write("f", "1")
	s.napback(0, day(0))
	s.must(os.Mkdir(filepath.Join(s.dir, "twin"), 0o700))
	s.must(os.WriteFile(twin, []byte(strings.Replace(s.readConf(), s.diffs, filepath.Join(s.dir, "twin"), 1)), 0o600))
	s.nextSecond()
	if e := s.tool("napback", "-c", twin, "--date", day(0)); e.code != 0 || !strings.Contains(e.stderr, "going on as owner") {
		t.Error(e)
	}
	const days = 9 // more than the eight slots
	for n := 1; n <= days; n++ {
		for _, conf := range []string{s.conf, twin} {
			// Nights are apart. Of runs of one second nobody knows which is newer.
			s.nextSecond()
			if e := s.tool("napback", "-c", conf, "--date", day(n)); e.code != 3 || !strings.Contains(e.stderr, "two machines share") {
				t.Error(n, conf, e)
			}
		}
	}
	if n := len(s.runs()); n != 2*(days+1) {
		t.Errorf("%d of %d archives are left", n, 2*(days+1))
	}
}
