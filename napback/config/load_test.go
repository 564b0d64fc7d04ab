package config

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/cli"
	"napback/internal/slot"
)

// memory is a file system of texts. A path that ends with / is a directory
// that cannot be read.
type memory map[string]string

func (m memory) read(name string, _ bool) ([]byte, error) {
	text, ok := m[path.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func (m memory) trusted(func(string) error, string) error { return nil }

func (m memory) names(dir string) ([]string, error) {
	if _, locked := m[dir+"/"]; locked {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}
	}
	seen := map[string]bool{}
	for name := range m {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			first, _, _ := strings.Cut(rest, "/")
			seen[first] = true
		}
	}
	if len(seen) == 0 {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// required is the beginning of most configurations in these tests: two lines.
const required = "Bucket b\nDiffDir /d\n"

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := load("/c/f", Env{Host: "web1"}, memory{"/c/f": text})
	if err != nil {
		t.Fatalf("configuration\n%s\nis refused: %v", text, err)
	}
	return c
}

// reasons returns the errors of a configuration, one a line.
func reasons(t *testing.T, from memory) string {
	t.Helper()
	_, err := load("f", Env{Host: "web1"}, from)
	if err == nil {
		t.Fatal("the configuration is not refused")
	}
	if status := cli.ExitStatus(err); status != cli.Usage {
		t.Errorf("exit status %d, want %d", status, cli.Usage)
	}
	return err.Error()
}

func TestTheManualsExampleParses(t *testing.T) {
	text, err := os.ReadFile("testdata/manual.conf")
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, string(text))
	var got []string
	for _, j := range c.Jobs {
		got = append(got, fmt.Sprintf("%s: %v, %+v, without %q", j.Name, j, j.Settings.Schedule, j.Settings.Options["Exclude"]))
	}
	want := []string{
		`fortnight/etc: Directory /etc, {Frequency:1 Phase:0 Diffs:6 Fulls:2}, without []`,
		`fortnight/srv/www: Directory /srv/www, {Frequency:1 Phase:0 Diffs:6 Fulls:2}, without []`,
		`fortnight/var: Directory /var, {Frequency:1 Phase:0 Diffs:6 Fulls:2}, without []`,
		`halving/etc: Directory /etc, {Frequency:1 Discs:5 ArchiveOldest:false}, without []`,
		`halving/srv/www: Directory /srv/www, {Frequency:1 Discs:5 ArchiveOldest:false}, without []`,
		`halving/var: Directory /var, {Frequency:1 Discs:5 ArchiveOldest:false}, without []`,
		`boot: Directory /boot, {Frequency:7 Phase:0 Diffs:3 Fulls:2}, without ["/opt/scratch"]`,
		`opt: Directory /opt, {Frequency:7 Phase:0 Diffs:3 Fulls:2}, without ["/opt/scratch"]`,
		`root: Directory /root, {Frequency:7 Phase:0 Diffs:3 Fulls:2}, without ["/opt/scratch"]`,
		`home/ann: Directory /home/ann, {Frequency:1 Phase:0 Diffs:6 Fulls:8}, without ["/home/ann/cache"]`,
		`ROOT: Directory /, {Frequency:1 Phase:0 Diffs:0 Fulls:8}, without ["/proc" "/sys" "/var/run"]`,
		`MySQL/all: MySQL all, {Frequency:1 Phase:0 Diffs:0 Fulls:14}, without []`,
		`MySQL/shop: MySQL shop, {Frequency:1 Phase:0 Diffs:0 Fulls:14}, without []`,
		`Subversion/srv/svn: SubversionDir /srv/svn, {Frequency:1 Phase:0 Diffs:0 Fulls:10}, without []`,
		`Subversion/srv/svn/site: Subversion /srv/svn/site, {Frequency:1 Phase:0 Diffs:3 Fulls:10}, without []`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, j := range c.Jobs {
		s := j.Settings
		if s.Bucket != "backups.example.org" || s.DiffDir != "/srv/napback/state" || s.told("S3KeyFile") != "/etc/napback/s3.key" ||
			s.bytes("ChunkSize") != 25e6 || !slices.Equal(s.GpgRecipients, []string{"backup@example.org"}) {
			t.Errorf("%v does not inherit the settings of the file: %+v", j, s)
		}
	}
	wantNotes := []string{"Fulls without Diffs: every backup is a FULL; Diffs 0 says so, Diffs 6 makes increments between them (Directory /, SubversionDir /srv/svn)",
		"sources that stand in several places have the name of their Cycle in their archives' names: " +
			"fortnight/etc, fortnight/srv/www, fortnight/var, halving/etc, halving/srv/www, halving/var"}
	if diff := cmp.Diff(wantNotes, c.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsAreThoseOfTheManual(t *testing.T) {
	c := parse(t, required+"Directory /x")
	j := c.Jobs[0]
	if got, want := j.Settings.Schedule, slot.Schedule(slot.Simple{Frequency: 1, Phase: 0, Diffs: 6, Fulls: 4}); got != want {
		t.Errorf("schedule %+v, want %+v", got, want)
	}
	want := Settings{Bucket: "b", DiffDir: "/d", NeverDie: true, RetryWait: 30 * 60e9, Compression: "auto", CycleType: "SimpleCycle",
		Frequency: 1, Discs: 5, LogLevel: "info", LogFormat: "text"}
	got := j.Settings
	got.Schedule = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if j.File != "/c/f" || j.Line != 3 {
		t.Errorf("the job is said to stand at %s:%d", j.File, j.Line)
	}
}

func TestALoadThatFailsIsAUsageError(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{
		filepath.Join(dir, "absent"): "no such file",
		dir:                          "not a regular file",
		big:                          "more than 1.0 MB",
	} {
		_, err := Load(path, Env{})
		if err == nil || cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", path, err, reason)
		}
	}
}
