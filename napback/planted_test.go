//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
