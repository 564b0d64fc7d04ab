package scripts

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/storetest"
)

// TestWhatIsInstalledIsTakenBack: tools, manuals, completions, units, scripts and the license, and
// nothing of what was there before.
func TestWhatIsInstalledIsTakenBack(t *testing.T) {
	bin, dest := t.TempDir(), t.TempDir()
	for _, tool := range []string{"s3put", "s3get", "s3ls", "s3rm", "slotcalc", "pgpipe", "napback"} {
		if err := os.WriteFile(filepath.Join(bin, tool), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	recipe := func(target string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "make", "-C", storetest.Root(t), target, "BIN="+bin, "DESTDIR="+dest, "PREFIX=/usr").CombinedOutput()
		if err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	// files are those below dest, each with whether it can be run.
	files := func() map[string]bool {
		t.Helper()
		found := map[string]bool{}
		err := filepath.WalkDir(dest, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			found[strings.TrimPrefix(path, dest+"/usr/")] = err == nil && info.Mode()&0o111 != 0
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	others := filepath.Join(dest, "usr/share/napback/local.sh")
	recipe("install")
	got := files()
	for name, runs := range map[string]bool{
		"bin/s3put": true, "bin/napback": true, "share/man/man1/s3put.1": false, "share/man/man5/napback.conf.5": false,
		"share/man/man7/napback-archive.7": false, "share/man/man7/napback-migrate.7": false, "share/napback/restore-s3napback.sh": true,
		"share/napback/restore-without-napback.sh": true,
		"share/napback/LICENSE":                    false, "lib/systemd/system/napback.service": false, "lib/systemd/system/napback-alarm@.service": false,
		"share/bash-completion/completions/s3rm": false, "share/zsh/site-functions/_pgpipe": false, "share/fish/vendor_completions.d/napback.fish": false,
	} {
		if is, ok := got[name]; !ok || is != runs {
			t.Errorf("%s: installed %v, can be run %v", name, ok, is)
		}
	}
	for name := range got {
		if strings.Contains(name, "check.sh") || strings.Contains(name, "package") || strings.HasSuffix(name, ".go") {
			t.Errorf("%s is installed", name)
		}
	}
	// What names the program names it where it is.
	for name, want := range map[string]string{"lib/systemd/system/napback.service": "ExecStart=/usr/bin/napback ", "share/napback/napback.cron": " root /usr/bin/napback "} {
		if file, err := os.ReadFile(filepath.Join(dest, "usr", name)); err != nil || !strings.Contains(string(file), want) {
			t.Errorf("%s has no %q: %v", name, want, err)
		}
	}
	if err := os.WriteFile(others, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	recipe("uninstall")
	if got := files(); len(got) != 1 || got["share/napback/local.sh"] {
		t.Errorf("left are %v", got)
	}
	if err := os.Remove(others); err != nil {
		t.Fatal(err)
	}
	recipe("install")
	recipe("uninstall")
	if _, err := os.Stat(filepath.Dir(others)); err == nil {
		t.Error("the folder of ours is left")
	}
}
