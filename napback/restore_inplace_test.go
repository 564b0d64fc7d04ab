//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

func TestRestoreInPlaceShowsAndDeletesWhatTheBackupDoesNotHave(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Exclude cache")
	s.write("cache/c", "known and excluded since the FULL")
	states := s.fourDays(true)
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
	states := s.fourDays(true)
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
		for i := range all {
			settle(t, all[i].source)
		}
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

// An excluded directory that came into being after the FULL, in a directory that
// did, is nothing that the FULL knows.
func TestRestoreInPlaceShowsWhatTheFullDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Exclude cache")
	s.write("old/cache/c", "stays")
	s.write("old/file", "x")
	settle(t, s.source)
	s.napback(0, day(0))
	s.write("old/sub/kept", "k")
	s.write("old/sub/cache/c", "goes")
	s.write("cache", "goes")
	want := tree(t, s.source)
	settle(t, s.source)
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

func TestRestoreInPlaceSparesMountedFileSystems(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
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
