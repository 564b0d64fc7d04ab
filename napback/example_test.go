//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// The example of a web server is what -t shows, on a host that has all that it
// names.
func TestTheExampleOfAWebServerCanBeRun(t *testing.T) {
	s := newSite(t)
	s.newKey("")
	home := s.gnupg.Dir
	for _, d := range []string{"etc/napback", "root", "home/ann", "var/www/site/cache", "var/lib/napback", "var/log/napback", "var/tmp", "srv/uploads", "srv/svn"} {
		s.must(os.MkdirAll(filepath.Join(s.dir, d), 0o755))
	}
	for _, command := range []string{
		"gpg --homedir " + home + " --batch --passphrase '' --quick-generate-key safe@example.org default default never",
		"gpg --homedir " + home + " --batch --export >etc/napback/backup.pgp",
		"svnadmin create srv/svn/one; svnadmin create srv/svn/two",
	} {
		cmd := exec.CommandContext(t.Context(), "bash", "-ec", command)
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	// The store is a directory, which takes no keys.
	text := strings.Replace(s.read("../scripts/napback.conf.example"), "\nS3KeyFile ", "\n#S3KeyFile ", 1)
	var paths []string
	for _, path := range []string{"/etc", "/root", "/home", "/var", "/srv"} {
		paths = append(paths, " "+path, " "+s.dir+path)
	}
	s.must(os.WriteFile(s.conf, []byte(strings.NewReplacer(paths...).Replace(text)+"\nEndpoint file://"+s.store+"\n"), 0o600))
	s.must(os.MkdirAll(filepath.Join(s.store, "example-backups"), 0o755))
	e := s.napback(0, day(0), "-t")
	for _, want := range []string{
		"Directory " + s.dir + "/etc on ", "Directory " + s.dir + "/root on ", "Directory " + s.dir + "/home on ", "Directory " + s.dir + "/var/www on ",
		"Directory " + s.dir + "/srv/uploads on ", "MySQL all on ", "PostgreSQL all on ", " run-as postgres ", "Command packages on ", "MySQL shop on ",
		"Subversion " + s.dir + "/srv/svn/one on ", "Subversion " + s.dir + "/srv/svn/two on ",
		"/var/www/*/cache", "nice -n 10 ",
	} {
		if !strings.Contains(e.out, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(e.out, "would fail") || strings.Contains(e.stderr, "error") || strings.Contains(e.stderr, "warning") || strings.Contains(e.stderr, "not encrypted") {
		t.Error(e)
	}
}

// What napback.service leaves root of its rights is enough for files of others.
func TestTheRightsOfTheServiceAreEnough(t *testing.T) {
	tooltest.NeedsRoot(t, "gives files away")
	s := newSite(t)
	s.write("ann/secret", "1")
	s.must(os.Chmod(filepath.Join(s.source, "ann"), 0o700))
	s.must(os.Chmod(filepath.Join(s.source, "ann/secret"), 0o600))
	for _, f := range []string{"ann/secret", "ann"} {
		s.must(os.Chown(filepath.Join(s.source, f), 1234, 1234))
	}
	if !strings.Contains(s.read("../scripts/napback.service"), "\nCapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SETUID CAP_SETGID CAP_KILL\nNoNewPrivileges=yes\n") {
		t.Fatal("the service has other rights now")
	}
	for n := range 2 {
		cmd := exec.CommandContext(t.Context(), "setpriv", "--bounding-set=-all,+dac_read_search,+setuid,+setgid,+kill", "--inh-caps=-all", "--no-new-privs",
			filepath.Join(binDir(t), "napback"), "-c", s.conf, "--date", day(n))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s.stored(day(n))
		s.write("later", "2")
	}
}
