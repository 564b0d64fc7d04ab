//go:build unix

package nofollow

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a tree with a link in it that leads to a victim, and the victim.
func site(t *testing.T) (dir, victim string) {
	dir, victim = filepath.Join(t.TempDir(), "tree"), t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "src/real/deep"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "src/real/f"), []byte("f"), 0o600))
	must(t, os.WriteFile(filepath.Join(victim, "precious"), []byte("p"), 0o600))
	must(t, os.Mkdir(filepath.Join(victim, "deep"), 0o700))
	must(t, os.Symlink(victim, filepath.Join(dir, "src/link")))
	must(t, os.Symlink("real", filepath.Join(dir, "src/near"))) // stays inside
	return dir, victim
}

func TestNothingIsDoneThroughALink(t *testing.T) {
	dir, victim := site(t)
	for _, tree := range []func() (*Tree, error){
		func() (*Tree, error) { return Open(dir) },
		func() (*Tree, error) { return OpenBelow(dir, "src") },
	} {
		tr, err := tree()
		must(t, err)
		defer tr.Close()
		for _, link := range []string{"src/link", "src/near"} {
			for what, err := range map[string]error{
				"Chmod":    tr.Chmod(link+"/deep", 0o777),
				"the link": tr.Chmod(link, 0o777),
				"SetTime":  tr.SetTime(link+"/deep", time.Unix(0, 0)),
				"Remove":   tr.RemoveAll(link + "/precious"),
				"Link":     tr.Link("src/real/f", link+"/new"),
				"MkdirAll": tr.MkdirAll(link+"/new/new", 0o755),
			} {
				var o *Obstacle
				if !errors.As(err, &o) || o.Name != link || !o.Link {
					t.Errorf("%s of %s: %v", what, link, err)
				}
			}
			if _, err := tr.Lstat(link + "/deep"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("Lstat: %v", err)
			}
			if _, err := tr.ReadDir(link); err == nil {
				t.Error("the other directory is read")
			}
			if way, err := tr.InTheWay(link + "/deep/x"); way != link || err != nil {
				t.Errorf("in the way: %q, %v", way, err)
			}
		}
		var seen []string
		must(t, tr.WalkDirs("src", func(name string, _ fs.FileInfo) error { seen = append(seen, name); return nil }))
		if len(seen) != 3 {
			t.Errorf("walked %q", seen)
		}
	}
	info, err := os.Stat(filepath.Join(victim, "deep"))
	must(t, err)
	entries, err := os.ReadDir(victim)
	must(t, err)
	if info.Mode().Perm() != 0o700 || len(entries) != 2 {
		t.Errorf("the victim has changed: %v, %v", info.Mode(), entries)
	}
}

func TestALinkItselfIsRemoved(t *testing.T) {
	dir, victim := site(t)
	tr, err := OpenBelow(dir, "src")
	must(t, err)
	defer tr.Close()
	must(t, tr.RemoveAll("src/link"))
	if _, err := os.Lstat(filepath.Join(dir, "src/link")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(victim, "precious")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsThereIsChanged(t *testing.T) {
	dir, _ := site(t)
	tr, err := OpenBelow(dir, "src")
	must(t, err)
	defer tr.Close()
	must(t, tr.Chmod("src/real/deep", 0o700))
	must(t, tr.Chmod("src", 0o711))
	must(t, tr.SetTime("src/real/f", time.Unix(1e9, 0)))
	must(t, tr.Link("src/real/f", "src/real/deep/g"))
	must(t, tr.MkdirAll("src/a/b", 0o700))
	for name, mode := range map[string]fs.FileMode{"src/real/deep": 0o700, "src": 0o711, "src/a/b": 0o700, "src/real/deep/g": 0o600} {
		if info, err := tr.Lstat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, name := range []string{"other", "src/../x", "src//x", "srcx", ""} {
		if _, err := tr.Lstat(name); err == nil {
			t.Errorf("%q can be used", name)
		}
	}
}

func TestALinkAboveIsNoWayIn(t *testing.T) {
	dir, _ := site(t)
	var o *Obstacle
	if _, err := OpenBelow(dir, "src/near/deep"); !errors.As(err, &o) || o.Name != "src/near" {
		t.Error(err)
	}
	if _, err := OpenBelow(dir, "src/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
