//go:build linux

package tar

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

func TestADirectoryLosesTheAttributesThatTarWillSetAgain(t *testing.T) {
	tooltest.NeedsRoot(t, "sets trusted attributes")
	dir := t.TempDir()
	path := filepath.Join(dir, "d")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	acl := []byte("\x02\x00\x00\x00\x01\x00\x07\x00\xff\xff\xff\xff\x02\x00\x05\x00\xd2\x04\x00\x00\x04\x00\x05\x00\xff\xff\xff\xff\x10\x00\x05\x00\xff\xff\xff\xff\x20\x00\x05\x00\xff\xff\xff\xff")
	for name, value := range map[string][]byte{"user.too": []byte("1"), "user.goes": []byte("2"), "trusted.goes": []byte("3"), "system.posix_acl_access": acl} {
		if err := unix.Setxattr(path, name, value, 0); err != nil {
			t.Fatal(name, err)
		}
	}
	if err := os.Symlink("d", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	attributes := func() []string {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		names, err := listAttributes(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		return names
	}
	before := attributes()
	for _, c := range []struct {
		name string
		want []string
	}{
		{"link", before},
		{"not there", before},
		{"d", []string{"system.posix_acl_access"}},
	} {
		if err := TrimAttributes(root, c.name); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := attributes(); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if len(before) != 4 {
		t.Errorf("the test began with %q", before)
	}
}
