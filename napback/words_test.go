//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Words name configurations in /etc/napback before a command, too, and
// /etc/napback/napback.conf is read where none is named. The test's /etc is that of
// a small machine.
func TestWordsNameConfigurations(t *testing.T) {
	s := newSite(t)
	root := filepath.Join(s.dir, "root")
	for _, d := range []string{"etc/napback", "store/bk", "diffs", "srv/all", "srv/web"} {
		s.must(os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	configure := func(file, source string) {
		t.Helper()
		text := "Bucket bk\nEndpoint file:///store\nDiffDir /diffs\nDirectory " + source + "\n"
		s.must(os.WriteFile(filepath.Join(root, "etc/napback", file), []byte(text), 0o600))
	}
	napback := func(code int, args ...string) string {
		t.Helper()
		script := lendMachine + `root=$1; shift 2; exec chroot "$root" /tools/napback "$@"`
		cmd := inMountNamespace(t, script, append([]string{root, binDir(t)}, args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != code {
			t.Fatalf("napback %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	configure("web.conf", "/srv/web")
	if said := napback(2, "-t"); !strings.Contains(said, "no configuration is given, and there is no /etc/napback/napback.conf") {
		t.Error(said)
	}
	configure("napback.conf", "/srv/all")
	for _, c := range []struct {
		args       string
		all, web   bool
		wantStatus int
	}{
		{"-t", true, false, 0},
		{"web -t", false, true, 0},
		{"-t web napback", true, true, 0},
		{"web status", false, true, 3},
		{"status", true, false, 3},
		{"status srv/all", true, false, 3},
		{"web status srv/all", false, false, 4},
		{"-c /etc/napback/napback.conf web status --json", true, true, 3},
		{"webb status", false, false, 2},
		{"web", false, true, 0},
	} {
		said := napback(c.wantStatus, strings.Fields(c.args)...)
		if c.wantStatus != 4 && (strings.Contains(said, "srv/all") != c.all || strings.Contains(said, "srv/web") != c.web) {
			t.Errorf("napback %s:\n%s", c.args, said)
		}
	}
}
