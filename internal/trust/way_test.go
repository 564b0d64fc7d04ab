//go:build unix

package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAWayIsTrustedWhoeverOwnsItsEnd(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"end", "open", "open/in"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, mode := range map[string]fs.FileMode{"end": 0o777, "open": 0o777} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"good": "end", "twice": "good", "bad": "open/in", "gone": "nowhere", "open/link": "../end"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"end": "end", "good": "end", "twice": "end"} {
		if got, err := Way(filepath.Join(dir, name)); err != nil || got != filepath.Join(dir, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"bad", "open/link", "open/in"} {
		if got, err := Way(filepath.Join(dir, name)); Refusal(err) == nil || Refusal(err).Path != filepath.Join(dir, "open") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := Way(filepath.Join(dir, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("gone: %q, %v", got, err)
	}
}
