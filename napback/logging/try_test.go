//go:build unix

package logging

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTryingALogFileChangesNothing(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if there, err := Try(log); there || err != nil {
		t.Errorf("one that is not there: %v, %v", there, err)
	}
	for what, c := range map[string]struct{ path, want string }{
		"no directory": {filepath.Join(dir, "no", "log"), "no directory"},
		"a directory":  {dir, "not a regular file"},
		"a device":     {"/dev/null", "not a regular file"},
		"a file above": {filepath.Join(log, "log"), "not a directory"},
	} {
		if what == "a file above" {
			if err := os.WriteFile(log, []byte("line\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Try(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	before, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	if there, err := Try(log); !there || err != nil {
		t.Errorf("one that is there: %v, %v", there, err)
	}
	after, err := os.Stat(log)
	if err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("%v became %v, %v", before, after, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}
