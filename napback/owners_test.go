//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
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
