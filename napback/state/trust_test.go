//go:build unix

package state

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/cli"
)

func TestDiffDirThatOthersCanWriteIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"directory": func(dir string) error { return os.Chmod(dir, 0o777) },
		"sticky":    func(dir string) error { return os.Chmod(dir, fs.ModeSticky|0o777) },
		"above":     func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
		"record":    func(dir string) error { return os.Chmod(filepath.Join(dir, "j.napback"), 0o602) },
		"snapshot":  func(dir string) error { return os.Chmod(filepath.Join(dir, "j@r.napback"), 0o602) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "diff")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"j.napback", "j@r.napback"} {
				if err := os.WriteFile(filepath.Join(dir, file), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Open(dir); err != nil {
				t.Fatalf("before: %v", err)
			}
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir); cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "can be written by") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheLockFollowsNoLink(t *testing.T) {
	base := t.TempDir()
	dir, target := filepath.Join(base, "diff"), filepath.Join(base, "made by root")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, lockFile)); err != nil {
		t.Fatal(err)
	}
	if release, ok, err := d.Lock(); err == nil {
		release()
		t.Errorf("the lock is taken (%v)", ok)
	}
	if _, err := os.Lstat(target); err == nil {
		t.Error("it made what the link names")
	}
}
