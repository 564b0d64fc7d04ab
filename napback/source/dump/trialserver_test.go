//go:build unix

package dump

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/napback/programs"
	"napback/napback/source"
)

// What is in a dump runs with the rights of the server: it must not be those of
// whoever has the secret key, if anybody who can write to the bucket has made it.
func TestOnlyASignedDumpIsLoadedWithOnesOwnRights(t *testing.T) {
	for _, c := range []struct {
		euid   int
		signed bool
		may    bool
	}{{0, false, true}, {0, true, true}, {1000, true, true}, {1000, false, false}} {
		err := mayRun(c.euid, c.signed)
		if (err == nil) != c.may || err != nil && !errors.As(err, new(*source.Absent)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The directory of a server is nobody's, and so is many another process.
func TestAServersLogFollowsNoLink(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("root's own"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatal(err)
	}
	s, err := newTrialServer(source.Host{Kit: programs.Kit{Env: os.Environ()}}, dir, true)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, log); err != nil {
		t.Fatal(err)
	}
	err = s.run(t.Context(), "/bin/sh", "-c", "echo from the server; exit 3")
	if err == nil || strings.Contains(err.Error(), "root's own") || !strings.Contains(err.Error(), "from the server") {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "root's own" {
		t.Errorf("%q, %v", text, err)
	}
}
