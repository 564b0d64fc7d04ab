//go:build unix

package drill

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// twins makes two equal trees and a comparison of them. began is after all of it, so
// that everything is compared.
func twins(t *testing.T) (c *comparison, restored, live string) {
	t.Helper()
	dir := t.TempDir()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	var roots []*os.Root
	for _, name := range []string{"restored", "live"} {
		top := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(filepath.Join(top, "d/e"), 0o755),
			os.WriteFile(filepath.Join(top, "d/f"), []byte("contents"), 0o640),
			os.WriteFile(filepath.Join(top, "d/na\xffme\n"), nil, 0o600))
		for _, path := range []string{"d/f", "d/na\xffme\n", "d/e", "d", "."} {
			err = errors.Join(err, os.Chtimes(filepath.Join(top, path), at, at))
		}
		root, openErr := os.OpenRoot(top)
		if err := errors.Join(err, openErr); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		roots = append(roots, root)
	}
	return &comparison{restored: roots[0], live: roots[1], began: time.Now().Add(time.Hour)}, filepath.Join(dir, "restored"), filepath.Join(dir, "live")
}

func TestAComparisonFindsWhatIsNotAsInTheSource(t *testing.T) {
	for name, test := range map[string]struct {
		change func(restored, live string) error
		want   string
	}{
		"nothing":      {func(string, string) error { return nil }, ""},
		"contents":     {func(r, _ string) error { return keepTimes(r+"/d/f", []byte("comtents")) }, `"d/f" has other contents`},
		"size":         {func(r, _ string) error { return keepTimes(r+"/d/f", []byte("more contents")) }, `"d/f" has 13 bytes, and 8 in the source`},
		"mode":         {func(r, _ string) error { return os.Chmod(r+"/d/f", 0o600) }, `"d/f" has the mode 600, and 640 in the source`},
		"time":         {func(r, _ string) error { return os.Chtimes(r+"/d/f", time.Time{}, time.Unix(1, 0)) }, `"d/f" was modified at 1970-01-01T00:00:01Z`},
		"type":         {func(r, _ string) error { return errors.Join(os.Remove(r+"/d/e"), os.WriteFile(r+"/d/e", nil, 0o600)) }, `"d/e" is`},
		"not restored": {func(r, _ string) error { return os.Remove(r + "/d/f") }, `"d/f" was not restored`},
		"too many":     {func(r, _ string) error { return os.WriteFile(r+"/d/e/deleted", nil, 0o600) }, `"d/e/deleted" was restored, and was not in the source`},
	} {
		c, restored, live := twins(t)
		if err := test.change(restored, live); err != nil {
			t.Fatal(err)
		}
		if err := c.all(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"d", "d/e", "d/f", "d/na\xffme\n"} {
			c.missing(name)
		}
		got := strings.Join(c.faults, "\n")
		if (test.want == "") != (c.wrong == 0) || !strings.Contains(got, test.want) {
			t.Errorf("%s: %d wrong: %s\nwant %s", name, c.wrong, got, test.want)
		}
		if test.want == "" && c.compared != c.entries {
			t.Errorf("of %d entries %d are compared", c.entries, c.compared)
		}
	}
}

// keepTimes writes a file and leaves its time as it was.
func keepTimes(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(path, data, 0o600), os.Chtimes(path, info.ModTime(), info.ModTime()))
}

func TestWhatHasChangedSinceIsNotCompared(t *testing.T) {
	c, restored, live := twins(t)
	c.began = time.Unix(1, 0)
	err := errors.Join(os.Remove(live+"/d/e"), os.WriteFile(live+"/new", nil, 0o600), os.WriteFile(restored+"/d/f", []byte("other"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.all(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.missing("new")
	if c.wrong != 0 || c.compared != 0 || c.changed != c.entries {
		t.Errorf("%+v", c)
	}
}

func TestAScratchDirectoryIsRemovedWhateverItsModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "scratch")
	err := errors.Join(os.MkdirAll(dir+"/a/b\xff", 0o755), os.WriteFile(dir+"/a/b\xff/c", nil, 0o600), os.Chmod(dir+"/a/b\xff", 0o500), os.Chmod(dir+"/a", 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := removeAll(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("it is still there")
	}
}
