//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// signing configures a host that signs, and believes its own key only. It
// returns what it puts into the configuration.
func (s *site) signing() string {
	s.t.Helper()
	secret := s.newKey("")
	return "SignKey " + secret + "\n  VerifyKey " + s.gnupg.File(s.t, s.gnupg.GPG(s.t, nil, "--export"))
}

// forgeRun stores what somebody without the key wants to be a backup of that
// day: it says of itself all that a genuine one says.
func (s *site) forgeRun(date string) {
	s.t.Helper()
	var args []string
	runs := s.runs()
	for k, v := range runs[len(runs)-1].Meta {
		if k == "date" {
			v = date
		}
		args = append(args, "-m", k+"="+v)
	}
	last := runs[len(runs)-1]
	e := s.tool("s3put", append(append([]string{"--keep", "--owner", last.Owner, "bk:" + last.Name}, args...), "--", "tar", "-c", "/etc/hostname")...)
	if e.code != 0 {
		s.t.Fatal(e)
	}
}

// TestWhatIsNotSignedDoesNotExist: for decisions, done today, list, restore.
func TestWhatIsNotSignedDoesNotExist(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	s.back(0, kept, day(0))
	unsigned := kept[day(0)]
	delete(kept, day(0))

	s.configure(s.block(s.signing()))
	if e := s.cmd(3, "check"); !strings.Contains(e.out, "WARN archives of job, 1 of them") || !strings.Contains(e.stderr, "--accept-unsigned") {
		t.Error(e)
	}
	if e := s.back(0, kept, day(1)); !strings.Contains(e.stderr, "FULL") || !strings.Contains(e.stderr, "not signed by a wanted key") {
		t.Errorf("after an unsigned FULL: %v", e)
	}
	s.back(0, kept, day(2))

	// Somebody else's backup of the next day, and of the day after.
	s.nextSecond()
	s.forgeRun(day(3))
	s.back(0, kept, day(3))
	s.nextSecond()
	s.forgeRun(day(4))

	e := s.cmd(0, "list")
	if n := strings.Count(e.out, "job-"); n != 0 && n != 3 || strings.Contains(e.out, day(4)) || strings.Contains(e.out, day(0)) || !strings.Contains(e.out, day(3)) {
		t.Error(e)
	}
	for _, date := range []string{day(1), day(2), day(3)} {
		to := filepath.Join(t.TempDir(), "to")
		s.cmd(0, "restore", "--at", date, "--to", to, "job")
		if d := difference(kept[date], tree(t, filepath.Join(to, s.source))); d != "" {
			t.Errorf("%s:\n%s", date, d)
		}
	}
	to := filepath.Join(t.TempDir(), "to")
	if e := s.cmd(0, "restore", "--to", to, "job"); !strings.Contains(e.stderr, "are left out: 3") {
		t.Errorf("the newest: %v", e)
	}
	if d := difference(kept[day(3)], tree(t, filepath.Join(to, s.source))); d != "" {
		t.Errorf("the newest:\n%s", d)
	}
	// What nobody signed, from before, only if it is asked for.
	to = filepath.Join(t.TempDir(), "to")
	s.cmd(4, "restore", "--at", day(0), "--to", to, "job")
	s.cmd(0, "restore", "--accept-unsigned", "--at", day(0), "--to", to, "job")
	if d := difference(unsigned, tree(t, filepath.Join(to, s.source))); d != "" {
		t.Errorf("unsigned:\n%s", d)
	}
	s.cmd(0, "verify", "job")
}

// TestAKeyThatDoesNotVerifyStopsABackupBeforeItBegins.
func TestAKeyThatDoesNotVerifyStopsABackupBeforeItBegins(t *testing.T) {
	s := newSite(t)
	lines := s.signing()
	other := newSite(t)
	wrong := strings.ReplaceAll(other.signing(), "SignKey", "#")
	s.configure(s.block(strings.Split(lines, "\n")[0], wrong[strings.Index(wrong, "VerifyKey"):]))
	s.write("f", "x")
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "would not be accepted") {
		t.Error(e)
	}
	if runs := s.runs(); len(runs) > 0 {
		t.Errorf("stored: %+v", runs)
	}
}

// TestCheckSaysWhereVerifyKeyDoesNotBind: credentials that can only create
// objects read no manifests.
func TestCheckSaysWhereVerifyKeyDoesNotBind(t *testing.T) {
	s := newSite(t)
	s.configure(s.block(s.signing()))
	s.back(0, trees{}, day(0))
	if e := s.cmd(0, "check"); strings.Contains(e.stderr, "VerifyKey") {
		t.Error(e)
	}
	s.fake("s3ls", `echo 's3ls: error: list "bk": access denied' >&2; exit 8`)
	s.fake("s3rm", `echo 's3rm: error: access denied' >&2; exit 8`)
	if e := s.tool("napback", "-c", s.conf, "check"); !strings.Contains(e.stderr, "may not read manifests, so that VerifyKey binds only who restores") {
		t.Error(e)
	}
	s.real()
	s.fake("s3ls", `echo '{"bucket":"bk","name":"job-0-FULL","run":"20260101T000000Z-aaaa","state":"unreadable","denied":true}'`)
	if e := s.tool("napback", "-c", s.conf, "check"); !strings.Contains(e.stderr, "VerifyKey binds only who restores") {
		t.Error(e)
	}
}
