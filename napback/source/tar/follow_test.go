//go:build unix

package tar

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPatternsBelowALinkMatchWhereItLeads(t *testing.T) {
	const link, real = "/srv/data", "/mnt/big*/lib"
	const below = `/mnt/big\*/lib/`
	for _, c := range []struct {
		pattern string
		want    []string
		err     string
	}{
		{"/srv/data/cache", []string{below + "cache"}, ""},
		{"/srv/*/cache/*.o", []string{below + "cache/*.o"}, ""},
		{"/srv/other/cache", nil, ""},
		{"/srv/data", nil, ""},
		{"/mnt/big*/lib/cache", nil, ""}, // a path of another source
		{"/", nil, ""},
		{"*.o", []string{"*.o"}, ""},
		{"data/cache", []string{"data/cache", below + "cache"}, ""},
		{"srv/data/a/b", []string{"srv/data/a/b", below + "a/b"}, ""},
		{"*/cache", []string{"*/cache"}, ""},
		{"a/b", []string{"a/b"}, ""},
		{"lib", nil, `Exclude "lib" leaves out "/mnt/big*/lib", which the source leads to`},
		{"mnt", nil, `Exclude "mnt" leaves out "/mnt/big*/lib", which the source leads to`},
		{"lib/cache", nil, `Exclude "lib/cache" would match below "/mnt/big*/lib", which the source leads to, but is not meant for "/srv/data"`},
	} {
		got, err := followPatterns([]string{c.pattern}, link, real)
		if said := errorText(err); said != c.err {
			t.Errorf("%q: %s", c.pattern, said)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: %s", c.pattern, diff)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestALinksDirectoryIsStoredUnderItsName also when names hold what regular
// expressions and replacements are made of.
func TestALinksDirectoryIsStoredUnderItsName(t *testing.T) {
	for _, names := range [][2]string{
		{"real", "link"}, {`r.*[e]a,l\1$^&`, `l,i&n\1\Uk;`}, {"two\nlines", "li\nk"}, {"r\\n", "l\\t"}, {"\xff\xe4", "\xe4"}, {"a+b?(c|d){2}", "-l"},
	} {
		dir := t.TempDir()
		from, to := filepath.Join(dir, names[0]), filepath.Join(dir, names[1])
		for path, text := range map[string]string{"sub/f": "x", "realm": "y", "sparse": strings.Repeat("\x00", 1<<20) + "z", strings.Repeat("l", 180): "long"} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(from, path)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(from, path), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Link(filepath.Join(from, "realm"), filepath.Join(from, "sub/hard")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(from, filepath.Join(from, "soft")); err != nil {
			t.Fatal(err)
		}
		run := func(args ...string) string {
			cmd := exec.Command("tar", args...)
			cmd.Env = append(os.Environ(), "LC_ALL=C")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%q: tar %q: %v\n%s", names, args, err, out)
			}
			return string(out)
		}
		archive := filepath.Join(t.TempDir(), "a")
		args := create(archive+".snapshot", []string{rename(from, to)}, memberName(from))
		args[slices.Index(args, "--file=-")] = "--file=" + archive
		run(args...)
		out := t.TempDir()
		run("--extract", "--file="+archive, "--listed-incremental=/dev/null", "-C", out)
		if diff := exec.Command("diff", "-r", "--no-dereference", from, filepath.Join(out, to)).Run(); diff != nil {
			t.Errorf("%q: what comes back differs: %v\n%q", names, diff, run("--list", "--file="+archive))
		}
		if _, err := os.Lstat(filepath.Join(out, from)); err == nil {
			t.Errorf("%q: there is the link's directory, too", names)
		}
		one, err1 := os.Stat(filepath.Join(out, to, "realm"))
		two, err2 := os.Stat(filepath.Join(out, to, "sub/hard"))
		if err1 != nil || err2 != nil || !os.SameFile(one, two) {
			t.Errorf("%q: the hard link is none", names)
		}
	}
}
