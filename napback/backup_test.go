//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	files = slices.DeleteFunc(files, func(f string) bool {
		return strings.Contains(filepath.Base(f), "@") || strings.HasSuffix(f, ".account.napback")
	})
	if len(files) != 1 {
		s.t.Fatalf("states %q; want one", files)
	}
	return files[0]
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
