//go:build unix

package logging

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALogFileThatOthersCouldHavePlantedIsNotWritten(t *testing.T) {
	base := t.TempDir()
	victim := filepath.Join(base, "passwd")
	if err := os.WriteFile(victim, []byte("root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "open")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nothing", filepath.Join(dir, "new")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "none"} {
		var out bytes.Buffer
		open(t, Options{File: filepath.Join(dir, name), Stderr: &out}).Info("hello")
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is made", name)
		}
		if got := out.String(); !strings.Contains(got, "could make files in it first") || !strings.Contains(got, "hello") {
			t.Errorf("%s: stderr has %s", name, got)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make another user's link")
	}
	if err := os.Lchown(filepath.Join(dir, "log"), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	open(t, Options{File: filepath.Join(dir, "log"), Stderr: &out}).Info("hello")
	if data, err := os.ReadFile(victim); err != nil || string(data) != "root\n" {
		t.Errorf("the link's target holds %q (%v)", data, err)
	}
	if got := out.String(); !strings.Contains(got, "belongs to another user") || !strings.Contains(got, "hello") {
		t.Errorf("stderr has %s", got)
	}
}
