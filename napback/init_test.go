//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInitAsksForWhatItIsNotTold(t *testing.T) {
	s := newSite(t)
	s.write("f", "contents")
	s.conf = filepath.Join(s.dir, "new", "napback.conf")
	key := filepath.Join(s.dir, "key")
	s.must(os.Mkdir(filepath.Join(s.dir, "usb"), 0o755))
	code, screen := s.dialogue(
		[]string{"Where do backups go?", "What is to be backed up?", ">", "F full", "Is that right?"},
		[]string{filepath.Join(s.dir, "usb", "backups"), s.source, "no more", "2 3", "yes"},
		"init", "--new-key", key, "--passphrase-file", "/dev/null", "--state", filepath.Join(s.dir, "state"), "--cron=")
	if code != 0 || !strings.Contains(screen, "1 job") || !strings.Contains(screen, "restore --secret-key FILE") {
		t.Fatalf("exit %d:\n%s", code, screen)
	}
	if text := s.read(s.conf); !strings.Contains(text, "Diffs 2\n    Fulls 3\n") || !strings.Contains(text, "Directory "+s.source) {
		t.Error(text)
	}
	s.cmd(0)
	s.cmd(0, "restore", "-k", key, "--to", filepath.Join(s.dir, "back"), s.source)
}
