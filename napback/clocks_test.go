//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/napback/catalog"
)

// A state from an older copy, as after a restore of the machine; and a clone, which
// has the same identity.
func TestAnOldCopyOfTheStateMakesAFull(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	s.back(0, kept, day(0))
	copied := filepath.Join(s.dir, "copy")
	s.must(os.CopyFS(copied, os.DirFS(s.diffs)))
	s.nextSecond()
	s.back(0, kept, day(1))
	s.must(os.RemoveAll(s.diffs))
	s.must(os.Rename(copied, s.diffs))
	s.nextSecond()
	for range 2 { // a warning each time
		if e := s.back(3, kept, day(2), "-f"); !strings.Contains(e.stderr, "the state is an old copy, or two machines") || !strings.Contains(e.out, "job-2-FULL") {
			t.Error(e)
		}
		s.must(os.RemoveAll(copied))
		s.must(os.CopyFS(copied, os.DirFS(s.diffs)))
		s.nextSecond()
		s.back(0, kept, day(3)) // the clone's
		s.must(os.RemoveAll(s.diffs))
		s.must(os.Rename(copied, s.diffs))
		s.nextSecond()
	}
	s.everythingRestores()
	delete(kept, day(2))
	s.allRestore(kept)
	s.cmd(0, "adopt", "job")
	s.back(0, kept, day(4))
}

// later gives a run a time in the future, as if the clock had been wrong.
func (s *site) later(run string, days int) string {
	s.t.Helper()
	future := catalog.RunTime(run).AddDate(0, 0, days).Format("20060102T150405Z") + run[len("20060102T150405Z"):]
	s.manifests(func(m map[string]any) bool {
		data, err := json.Marshal(m)
		s.must(err)
		for key := range m {
			delete(m, key)
		}
		s.must(json.Unmarshal([]byte(strings.ReplaceAll(string(data), run, future)), &m))
		return true
	})
	s.must(filepath.WalkDir(s.store, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(path, run) {
			err = os.Rename(path, strings.Replace(path, run, future, 1))
		}
		return err
	}))
	record, err := os.ReadFile(s.recordFile())
	s.must(err)
	s.must(os.WriteFile(s.recordFile(), []byte(strings.ReplaceAll(string(record), `"`+run+`"`, `"`+future+`"`)), 0o600))
	return future
}

// Before: later restores returned that state, and status said ok after ten days
// without a backup.
func TestOneRunFromTheFuture(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 3 {
		s.back(0, kept, day(n))
	}
	future := s.later(s.record().Current.Run, 400)
	s.manifests(func(m map[string]any) bool {
		if m["run"] != future {
			return false
		}
		m["meta"].(map[string]any)["date"] = time.Now().AddDate(0, 0, 400).Format(time.DateOnly)
		return true
	})
	if e := s.tool("napback", "-c", s.conf, "status", "job"); e.code != 3 || !strings.Contains(e.out, "OVERDUE") || !strings.Contains(e.stderr, future) {
		t.Error(e)
	}
	to := filepath.Join(s.dir, "out")
	if e := s.cmd(0, "restore", "--to", to, "job"); !strings.Contains(e.stderr, future+" is left out") {
		t.Error(e)
	}
	if d := difference(kept[day(1)], tree(t, filepath.Join(to, s.source))); d != "" {
		t.Error(d)
	}
	if e := s.back(0, kept, day(3)); !strings.Contains(e.out, "job-3-DIFF") { // on day 1
		t.Error(e)
	}
	delete(kept, day(2))
	s.allRestore(kept)
	for n := 4; n < 16; n++ {
		s.back(0, kept, day(n))
	}
	if slices.ContainsFunc(s.runs(), func(r catalog.Entry) bool { return r.Run == future }) {
		t.Error("it is there still, although its slot was used again")
	}
}

// A job that is not due by this host's clock, but is by the store's.
func TestAWrongClockKeepsNoJobFromItsBackup(t *testing.T) {
	today := time.Now()
	days := today.Unix() / 86400
	s := newSite(t)
	s.configure(s.block(fmt.Sprintf("Frequency 10\n  Phase %d", (15-days%10)%10)))
	s.write("a", "1")
	if e := s.tool("napback", "-c", s.conf); e.code != 0 || !strings.Contains(e.out, "not due") {
		t.Fatal(e)
	}
	ahead := time.Now().AddDate(0, 0, 5).UTC().Format(time.RFC3339)
	s.fake("s3ls", fmt.Sprintf(`"$REAL" "$@" | sed 's/"store_time":"[^"]*"/"store_time":"%s"/'; exit ${PIPESTATUS[0]}`, ahead))
	if e := s.tool("napback", "-c", s.conf); e.code != 3 || !strings.Contains(e.out, "FULL") {
		t.Error(e)
	}
}
