//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

var mendingHint = regexp.MustCompile(`(?m)^napback: hint: (ch(?:mod|own) .*)$`)

// What others can write is refused by every command, nothing is started, and the
// hint is the command that mends it.
func TestWhatOthersCanWriteIsNotObeyedAndTheHintMendsIt(t *testing.T) {
	type thing struct {
		name  string
		spoil func(s *site, path string) (wrong string)
	}
	world := func(s *site, path string) string { s.must(os.Chmod(path, 0o777)); return path }
	above := func(s *site, path string) string { return world(s, filepath.Dir(path)) }
	foreign := func(s *site, path string) string { s.must(os.Lchown(path, 12345, -1)); return path }
	group := func(s *site, path string) string {
		s.must(os.Chown(path, -1, 12345))
		s.must(os.Chmod(path, 0o770))
		return path
	}
	ways := []thing{{"everyone", world}, {"directory", above}}
	if os.Geteuid() == 0 {
		ways = append(ways, thing{"owner", foreign}, thing{"group", group})
	}
	for _, what := range []string{"configuration", "include", "hook", "exclude", "DiffDir", "record", "log"} {
		for _, way := range ways {
			t.Run(what+" "+way.name, func(t *testing.T) {
				s, paths := newSiteOfPlaces(t)
				s.write("a", "1")
				s.napback(0, day(0))
				if what == "record" && way.name == "directory" {
					return // that is DiffDir
				}
				paths["record"] = s.recordFile()
				wrong := way.spoil(s, paths[what])
				before := s.snapshotOfState()
				hint := ""
				for _, args := range [][]string{{}, {"check"}, {"-t"}, {"restore", "--to", s.dir + "/out", "job"}} {
					e := s.napback(2, day(1), args...)
					found := mendingHint.FindStringSubmatch(e.stderr)
					if found == nil {
						t.Fatalf("%q: no hint to mend %s: %v", args, wrong, e)
					}
					hint = found[1]
				}
				if got := s.snapshotOfState(); got != before {
					t.Errorf("the state changed:\n%s\n%s", before, got)
				}
				s.wantArchives("job-0-FULL")
				hint = regexp.MustCompile(`, or use .*`).ReplaceAllString(hint, "")
				if out, err := exec.Command("sh", "-c", hint).CombinedOutput(); err != nil {
					t.Fatalf("%s: %v %s", hint, err, out)
				}
				s.napback(0, day(1))
			})
		}
	}
}

// newSiteOfPlaces makes a site on which everything that napback obeys has a directory
// of its own, and returns where each is.
func newSiteOfPlaces(t *testing.T) (s *site, paths map[string]string) {
	t.Helper()
	s = newSite(t)
	place := func(name string) string {
		dir := filepath.Join(s.dir, "of-"+name)
		s.must(os.Mkdir(dir, 0o755))
		return filepath.Join(dir, name)
	}
	paths = map[string]string{"configuration": place("conf"), "include": place("inc"), "hook": place("hook"),
		"exclude": place("list"), "DiffDir": place("diffs"), "log": place("log")}
	s.must(os.Mkdir(paths["DiffDir"], 0o700))
	for name, text := range map[string]string{"include": "# nothing\n", "hook": "#!/bin/sh\n", "exclude": "x\n", "log": ""} {
		s.must(os.WriteFile(paths[name], []byte(text), 0o700))
	}
	s.conf, s.diffs = paths["configuration"], paths["DiffDir"]
	s.configure("Include \"" + paths["include"] + "\"\nLogFile \"" + paths["log"] + "\"\n" +
		s.block("RunBefore \""+paths["hook"]+"\"", "ExcludeFrom \""+paths["exclude"]+"\""))
	return s, paths
}

// A lock that is a link makes or locks nothing elsewhere.
func TestAPlantedLockIsNotFollowed(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	target := filepath.Join(s.dir, "elsewhere")
	s.must(os.Symlink(target, filepath.Join(s.diffs, "napback.lock")))
	s.tool("napback", "-c", s.conf)
	if _, err := os.Lstat(target); err == nil {
		t.Error("it is made")
	}
	s.wantArchives()
}
