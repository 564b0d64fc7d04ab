//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"napback/internal/tooltest"
)

func TestAPageThatCannotBeWrittenLeavesTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	err := replaceFile(path, func(w io.Writer) error {
		io.WriteString(w, "new")
		return full
	})
	if text, _ := os.ReadFile(path); !errors.Is(err, full) || string(text) != "old" {
		t.Errorf("it holds %q, %v", text, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Who may read the page is said by who writes it, and not by whoever made a file of
// that name before, as others can in /tmp.
func TestOnlyOnesOwnFileSaysWhoReadsThePage(t *testing.T) {
	tooltest.NeedsRoot(t, "makes a file of another user")
	const nobody, group = 65534, 12
	for owner, want := range map[int]struct {
		mode os.FileMode
		gid  uint32
	}{0: {0o640, group}, nobody: {0o600, 0}} {
		path := filepath.Join(t.TempDir(), "page.html")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, owner, group), os.Chmod(path, 0o662)); err != nil {
			t.Fatal(err)
		}
		if err := replaceFile(path, func(w io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		is := info.Sys().(*syscall.Stat_t)
		if info.Mode().Perm() != want.mode || is.Uid != 0 || is.Gid != want.gid {
			t.Errorf("where user %d had it: mode %o, user %d, group %d; want %o of group %d", owner, info.Mode().Perm(), is.Uid, is.Gid, want.mode, want.gid)
		}
	}
}
