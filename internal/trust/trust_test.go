//go:build unix

package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/cli"
)

// stat is a file of which only stat is known.
type stat struct {
	mode     fs.FileMode
	uid, gid uint32
}

func (s stat) Name() string       { return "f" }
func (s stat) Size() int64        { return 0 }
func (s stat) Mode() fs.FileMode  { return s.mode }
func (s stat) ModTime() time.Time { return time.Time{} }
func (s stat) IsDir() bool        { return s.mode.IsDir() }
func (s stat) Sys() any           { return &syscall.Stat_t{Uid: s.uid, Gid: s.gid} }

func TestWhoIsTrusted(t *testing.T) {
	const dir, sticky = fs.ModeDir, fs.ModeDir | fs.ModeSticky
	root, user := rule{uid: 0}, rule{uid: 1000}
	logs := rule{uid: 0, distribution: true}
	mapped := rule{uid: 0, top: 65534}
	for _, c := range []struct {
		who         rule
		f           stat
		leaf, above string // what mends it; "" = trusted
	}{
		{root, stat{0o644, 0, 0}, "", ""},
		{root, stat{0o640, 0, 4}, "", ""},
		{root, stat{0o664, 0, 0}, "", ""},
		{root, stat{0o664, 0, 4}, "chmod g-w f", "chmod g-w f"},
		{root, stat{0o646, 0, 0}, "chmod o-w f", "chmod o-w f"},
		{root, stat{0o666, 0, 0}, "chmod o-w f", "chmod o-w f"},
		{root, stat{0o666, 0, 4}, "chmod go-w f", "chmod go-w f"},
		{root, stat{0o600, 1000, 0}, "chown root f", "chown root f"},
		{root, stat{dir | 0o755, 1000, 1000}, "chown root f, or use a path on which only root can write", "chown root f, or use a path on which only root can write"},
		{root, stat{dir | 0o777, 0, 0}, "chmod o-w f", "chmod o-w f"},
		{root, stat{sticky | 0o777, 0, 0}, "use a directory of its own, chmod 700", ""},
		{root, stat{sticky | 0o775, 0, 30}, "use a directory of its own, chmod 700", ""},
		{root, stat{sticky | 0o755, 0, 30}, "", ""},
		{root, stat{sticky | 0o777, 1000, 0}, "chown root f, or use a path on which only root can write", "chown root f, or use a path on which only root can write"},
		{root, stat{fs.ModeDevice | fs.ModeCharDevice | 0o666, 0, 0}, "", "chmod o-w f"},
		{root, stat{fs.ModeNamedPipe | 0o622, 0, 0}, "chmod o-w f", "chmod o-w f"},
		{root, stat{0o600, 65534, 0}, "chown root f", "chown root f"},
		{mapped, stat{0o600, 65534, 0}, "", ""},
		{logs, stat{dir | 0o775, 0, 104}, "", ""},
		{logs, stat{0o660, 0, 4}, "", ""},
		{logs, stat{dir | 0o775, 0, 100}, "chmod g-w f", "chmod g-w f"},
		{logs, stat{dir | 0o775, 0, 1000}, "chmod g-w f", "chmod g-w f"},
		{logs, stat{dir | 0o777, 0, 104}, "chmod o-w f", "chmod o-w f"},
		{logs, stat{dir | 0o755, 104, 104}, "chown root f, or use a path on which only root can write", "chown root f, or use a path on which only root can write"},
		{user, stat{0o664, 1000, 1000}, "", ""},
		{user, stat{0o664, 1000, 50}, "", ""},
		{user, stat{0o644, 0, 0}, "", ""},
		{user, stat{0o666, 1000, 1000}, "chmod o-w f", "chmod o-w f"},
		{user, stat{0o600, 1001, 1000}, "use a copy that belongs to you or to root, in a directory that does as well", "use a copy that belongs to you or to root, in a directory that does as well"},
	} {
		for _, got := range []struct {
			err  error
			want string
		}{{c.who.leaf("f", c.f), c.leaf}, {c.who.above("f", c.f), c.above}} {
			mend := ""
			if e := Refusal(got.err); e != nil {
				mend = e.Mend
			}
			if mend != got.want || (got.err != nil) != (got.want != "") {
				t.Errorf("uid %d: %v of %d:%d: %v, mended by %q, want %q", c.who.uid, c.f.mode, c.f.uid, c.f.gid, got.err, mend, got.want)
			}
		}
	}
}

// tree makes a directory with sound and unsound places and changes into it.
func tree(t *testing.T) string {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct {
		name string
		mode fs.FileMode
	}{{"good", 0o755}, {"good/sub", 0o700}, {"open", 0o777}, {"open/sub", 0o700}, {"sticky", fs.ModeSticky | 0o777}, {"sticky/sub", 0o700}, {"foreign", 0o755}} {
		if err := os.Mkdir(filepath.Join(base, d.name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(base, d.name), d.mode); err != nil { // umask
			t.Fatal(err)
		}
	}
	for _, name := range []string{"good/f", "good/w", "good/sub/f", "open/f", "open/sub/f", "sticky/f", "sticky/sub/f", "foreign/f", "good/theirs"} {
		if err := os.WriteFile(filepath.Join(base, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(base, "good/w"), 0o602); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"good/absolute": base + "/good/f", "good/relative": "sub/../f", "good/loop": "loop", "good/nothing": "none",
		"good/into-open": "../open/f", "good/dir": "../open/sub", "open/link": base + "/good/f", "sticky/link": base + "/good/f",
		"good/up": "sub", "good/two": "up/f", "sticky/theirs": base + "/good/f",
	} {
		if err := os.Symlink(target, filepath.Join(base, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(base)
	return base
}

func TestEveryDirectoryAndLinkOfAPathCounts(t *testing.T) {
	base := tree(t)
	cases := []struct {
		check func(string) error
		path  string
		wrong string // the path that is named; "" = none
	}{
		{File, base + "/good/f", ""}, {File, "good/f", ""}, {File, "good/sub/../f", ""}, {File, "./good//sub/f", ""},
		{File, "good/absolute", ""}, {File, "good/relative", ""}, {File, "good/two", ""}, {File, "good/up/../f", ""},
		{File, "good/w", "good/w"},
		{File, "open/f", "open"}, {File, "open/sub/f", "open"}, {File, "open/link", "open"},
		{File, "good/into-open", "open"}, {File, "good/dir/f", "open"}, {File, "good/dir/../../good/f", "open"},
		{File, "sticky/f", ""}, {File, "sticky/sub/f", ""}, {File, "sticky/link", ""},
		{File, "/dev/null", ""}, {File, "/dev/stdin", ""},
		{Dir, "good/sub", ""}, {Dir, "good/up", ""}, {Dir, "good/dir", "open"}, {Dir, "open", "open"}, {Dir, "sticky", "sticky"}, {Dir, "sticky/sub", ""},
		{Temp, "sticky", ""}, {Temp, "good", ""}, {Temp, "open", "open"},
		{Log, "good/f", ""}, {Log, "good/new", ""}, {Log, "good/new/deep/f", ""}, {Log, "sticky/new/f", "sticky"}, {Log, "open/new/f", "open"}, {Log, "good/w", "good/w"}, {Log, "open/new", "open"},
		{Log, "sticky/new", "sticky"}, {Log, "sticky/f", "sticky"}, {Log, "good/absolute", ""}, {Log, "sticky/link", ""}, {Log, "good/nothing", ""},
	}
	if os.Geteuid() == 0 { // who else could give files away
		for _, name := range []string{"foreign", "good/theirs", "sticky/theirs"} {
			if err := os.Lchown(filepath.Join(base, name), 12345, 0); err != nil {
				t.Fatal(err)
			}
		}
		cases = append(cases, []struct {
			check func(string) error
			path  string
			wrong string
		}{
			{File, "foreign/f", "foreign"}, {Log, "foreign/new", "foreign"}, {Dir, "foreign", "foreign"}, {Temp, "foreign", "foreign"},
			{File, "good/theirs", "good/theirs"}, {File, "sticky/theirs", "sticky/theirs"},
		}...)
	}
	for _, c := range cases {
		expect(t, base, c.check(c.path), c.path, c.wrong)
	}
}

func TestTheFilesOfADirectoryCount(t *testing.T) {
	base := tree(t)
	for _, name := range []string{"f", "w", "l"} {
		if err := os.WriteFile("good/up/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, base, Dir("good/up"), "good/up", "")
	if err := os.Chmod("good/sub/w", 0o602); err != nil {
		t.Fatal(err)
	}
	expect(t, base, Dir("good/up"), "good/up", "good/sub/w")
	if err := os.Remove("good/sub/w"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../open/f", "good/sub/w"); err != nil {
		t.Fatal(err)
	}
	expect(t, base, Dir("good/up"), "good/up", "open")
}

func expect(t *testing.T, base string, err error, path, wrong string) {
	t.Helper()
	e := Refusal(err)
	switch {
	case wrong == "" && err != nil:
		t.Errorf("%s is refused: %v", path, err)
	case wrong != "" && e == nil:
		t.Errorf("%s is trusted: %v", path, err)
	case wrong != "" && e.Path != filepath.Join(base, wrong):
		t.Errorf("%s is refused because of %s, want %s", path, e.Path, wrong)
	case wrong != "" && cli.ExitStatus(err) != cli.Usage:
		t.Errorf("%s: exit status %d", path, cli.ExitStatus(err))
	}
}

func TestWhatIsNotThereIsNoMatterOfTrust(t *testing.T) {
	tree(t)
	for path, want := range map[string]error{
		"good/none": fs.ErrNotExist, "good/nothing": fs.ErrNotExist, "good/none/f": fs.ErrNotExist,
		"good/f/f": syscall.ENOTDIR, "good/loop": syscall.ELOOP,
	} {
		if err := File(path); !errors.Is(err, want) || Refusal(err) != nil {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}

func TestALinkWhereADistributionsGroupWritesIsRefused(t *testing.T) {
	base := tree(t)
	if os.Geteuid() != 0 {
		t.Skip("groups bind root alone")
	}
	if err := os.Chown(filepath.Join(base, "good"), 0, 104); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(base, "good"), 0o775); err != nil {
		t.Fatal(err)
	}
	expect(t, base, Log("good/f"), "good/f", "")
	expect(t, base, Log("good/new"), "good/new", "")
	expect(t, base, Log("good/absolute"), "good/absolute", "good/absolute")
	expect(t, base, File("good/f"), "good/f", "good")
}

func TestACommandThatMendsCanBePasted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "it's a file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	e := Refusal(File(path))
	if e == nil || !strings.HasSuffix(e.Mend, `/it'\''s a file'`) {
		t.Errorf("got %+v", e)
	}
}
