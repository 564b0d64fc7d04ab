//go:build linux

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestRestoreOfPathsTakesOnlyThese(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	states := s.fourDays(true)
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

// More links lead out of a path than a command line has room for.
func TestRestoreOfAPathMendsAnyNumberOfLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	long := strings.Repeat("n", 200)
	deep := strings.Repeat("/"+long, 8)
	s.shell(`mkdir -p a` + deep + ` b; for i in $(seq 500); do echo $i >a` + deep + `/$i; done; cp -al a/. b; ln b` + deep + `/{7,again}`)
	s.napback(0, day(0))
	for n, p := range []string{"b", "a"} {
		to := filepath.Join(s.dir, fmt.Sprint("out", n))
		e := s.cmd(0, "restore", "--to", to, "job", p)
		for i := range 500 {
			name := filepath.Join(to, s.source, p, deep, fmt.Sprint(i+1))
			if data, err := os.ReadFile(name); err != nil || string(data) != fmt.Sprintln(i+1) {
				t.Fatalf("%s: %d: %q, %v: %v", p, i+1, data, err, e)
			}
		}
		again := filepath.Join(to, s.source, p, deep, "again")
		if data, err := os.ReadFile(again); p == "b" && (err != nil || string(data) != "7\n") {
			t.Errorf("the second link: %q, %v", data, err)
		}
	}
}

// insideAny reports whether name is one of the paths or below one.
func insideAny(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == "" || name == p || strings.HasPrefix(name, p+"/") })
}
