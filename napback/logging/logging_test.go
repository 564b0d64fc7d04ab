package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
	"unicode/utf8"
)

// open returns a logger that the test's end closes.
func open(t *testing.T, o Options) *slog.Logger {
	t.Helper()
	log, closer, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closer.Close(); err != nil {
			t.Error(err)
		}
	})
	return log
}

func TestTextPutsWhatIsLookedForFirst(t *testing.T) {
	var out bytes.Buffer
	log := open(t, Options{Run: "r7", Stderr: &out})
	log.Info("begun", "jobs", 3)
	log = log.With(Kind, "Directory", Job, "home/my docs")
	log.With(Stage, "tar").Warn("file changed", "path", "/a b", "empty", "", slog.Group("size", "bytes", 5, "when", time.Unix(0, 0).UTC()))
	log.WithGroup("g").Error("failed", "err", errors.New("no way"), "args", []string{"x", "y z"})
	stamp := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) `)
	want := `INFO r7: begun jobs=3
WARN r7 "home/my docs" tar: file changed path="/a b" empty="" size.bytes=5 size.when=1970-01-01T00:00:00Z
ERROR r7 "home/my docs": failed g.err="no way" g.args="[x y z]"
`
	if n := len(stamp.FindAllString(out.String(), -1)); n != 3 {
		t.Errorf("%d lines begin with their time", n)
	}
	if got := stamp.ReplaceAllString(out.String(), ""); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestNothingForgesLinesOrControlsTheTerminal(t *testing.T) {
	var out bytes.Buffer
	log := open(t, Options{Stderr: &out})
	evil := "tar: a\n2026-01-01T00:00:00Z INFO all is well\r\x1b[2J\u202e\xff\u00e9"
	log.Info(evil, Job, "j\nk", "k\ney", "v\nw")
	got := out.String()
	if strings.Count(got, "\n") != 1 || strings.ContainsAny(got, "\r\x1b\u202e") || !utf8.ValidString(got) {
		t.Errorf("raw: %q", got)
	}
	if want := `"j\nk": tar: a\n2026-01-01T00:00:00Z INFO all is well\r\x1b[2J\u202e\xff` + "\u00e9" + ` k\ney="v\nw"`; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestJSONIsWhatSlogPromises(t *testing.T) {
	var out bytes.Buffer
	log := open(t, Options{Format: JSON, Run: "r7", Stderr: &out})
	err := slogtest.TestHandler(log.Handler(), func() []map[string]any {
		var all []map[string]any
		for line := range strings.Lines(out.String()) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if m["run"] != "r7" {
				t.Errorf("no run in %s", line)
			}
			all = append(all, m)
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLevels(t *testing.T) {
	warn, debug := slog.LevelWarn, slog.LevelDebug
	cases := []struct {
		name string
		with []any // given to the logger
		own  *slog.Level
		want string // levels that get through
	}{
		{"the run's", nil, nil, "INFO WARN ERROR"},
		{"the run's, of a job", []any{Kind, "MySQL", Job, "db"}, nil, "INFO WARN ERROR"},
		{"the job's own", []any{Kind, "Directory"}, &warn, "WARN ERROR"},
		{"the job's own, raised", nil, &debug, "DEBUG INFO WARN ERROR"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			log := open(t, Options{Stderr: &out}).With(c.with...)
			if c.own != nil {
				log = AtLevel(log, *c.own)
			}
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				log.Log(t.Context(), level, "-")
			}
			var got []string
			for line := range strings.Lines(out.String()) {
				got = append(got, strings.Fields(line)[1])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
	for name, want := range map[string]slog.Level{"debug": slog.LevelDebug, "warn": slog.LevelWarn} {
		if got, err := ParseLevel(name); got != want || err != nil {
			t.Errorf("ParseLevel(%s) = %v, %v", name, got, err)
		}
	}
	if _, err := ParseLevel("loud"); err == nil {
		t.Error("level loud is known")
	}
}

func TestLoggersOfOneParentShareNothing(t *testing.T) {
	var out bytes.Buffer
	log := open(t, Options{Stderr: &out})
	for i := range 5 { // enough for a slice with room behind it
		log = log.With(fmt.Sprint("k", i), i)
	}
	a, b := log.With(Job, "a"), log.With(Job, "b")
	a.Info("-")
	b.Info("-")
	if got := out.String(); !strings.Contains(got, "INFO a: ") || !strings.Contains(got, "INFO b: ") {
		t.Error(got)
	}
}

func TestOpenRefusesWhatCannotBeMeant(t *testing.T) {
	if _, _, err := Open(Options{Format: "xml"}); err == nil {
		t.Error("format xml")
	}
}

// lines returns the number of lines in a file, 0 if there is none.
func lines(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}

func TestFileRotatesBySizeAndKeepsSoMany(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "napback.log")
	var stderr bytes.Buffer
	log, closer, err := Open(Options{File: path, MaxSize: 1, MaxBackups: 2, Stderr: &stderr}) // 1 byte is rounded up to 1 MiB
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 10000)
	const rotated = 5
	for i := range (rotated + 1) << 20 / len(text) {
		log.Info(text, "i", i)
	}
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %.200s", stderr.String())
	}
	// Old files are removed in the background.
	var files []string
	for range time.Tick(time.Millisecond) {
		if files, err = filepath.Glob(filepath.Join(dir, "*")); err != nil {
			t.Fatal(err)
		}
		if len(files) <= 3 {
			break
		}
	}
	if len(files) != 3 {
		t.Errorf("want the current file and two more, got %q", files)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 1<<20 || info.Size() == 0 {
			t.Errorf("%s has %d bytes", f, info.Size())
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f, info.Mode())
		}
	}
}

func TestFileIsContinued(t *testing.T) {
	path := filepath.Join(t.TempDir(), "napback.log")
	for range 2 {
		log, closer, err := Open(Options{File: path})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("line")
		closer.Close()
	}
	if n := lines(t, path); n != 2 {
		t.Errorf("%d lines", n)
	}
}

func TestFileThatCannotBeWrittenCostsOneWarning(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nothing"), filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, os.DevNull, filepath.Join(plain, "below"), filepath.Join(dir, "dangling"), filepath.Join(dir, "a/b/log")} {
		var stderr bytes.Buffer
		log := open(t, Options{File: path, Run: "r7", Stderr: &stderr})
		log.Info("first line")
		log.Info("second line")
		got := stderr.String()
		if strings.Count(got, "napback: warning: log file "+path+": ") != 1 || strings.Count(got, "\n") != 3 ||
			!strings.Contains(got, "r7: first line\n") || !strings.Contains(got, "r7: second line\n") {
			t.Errorf("%s: stderr is %q", path, got)
		}
		if _, err := os.Stat(path); err != nil && (path == dir || path == os.DevNull) {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err == nil {
		t.Error("the directory of a log is made")
	}
}

func TestWhetherTheLogHasAllLinesIsKnown(t *testing.T) {
	dir := t.TempDir()
	for name, missed := range map[string]bool{"log": false, "absent/log": true} {
		_, to, err := Open(Options{File: filepath.Join(dir, name), Stderr: new(bytes.Buffer)})
		if err != nil {
			t.Fatal(err)
		}
		if why := to.Failed(); (why != "") != missed || missed && !strings.Contains(why, "log file "+filepath.Join(dir, name)+": there is no directory") {
			t.Errorf("%s: %q", name, why)
		}
		to.Close()
	}
}

// A disk that is unmounted, or a directory that is renamed, while a run goes on: the
// file that is open is not where anybody looks, and the next one must not make the
// directory on the disk below.
func TestADirectoryThatGoesAwayIsNotMade(t *testing.T) {
	for _, size := range []int{0, 1<<20 - 100} { // with the second, the next line begins a file
		base := t.TempDir()
		dir, away := filepath.Join(base, "logs"), filepath.Join(base, "away")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "log"), bytes.Repeat([]byte("\n"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		log := open(t, Options{File: filepath.Join(dir, "log"), MaxSize: 1, Stderr: &stderr})
		log.Info("one")
		if err := os.Rename(dir, away); err != nil {
			t.Fatal(err)
		}
		log.Info("two " + strings.Repeat("x", 200))
		log.Info("three")
		if _, err := os.Stat(dir); err == nil {
			t.Error("the directory is made again")
		}
		if got := stderr.String(); strings.Count(got, "warning") != 1 || strings.Contains(got, "INFO one") || !strings.Contains(got, "INFO two") || !strings.Contains(got, "INFO three") {
			t.Errorf("stderr is %q", got)
		}
		if n := lines(t, filepath.Join(away, "log")); n != size+1 {
			t.Errorf("the file has %d lines", n)
		}
	}
}

// fragile is a sink that can be broken.
type fragile struct {
	bytes.Buffer
	err   error
	tries int
}

func (f *fragile) write(_ slog.Level, _, line string) error {
	f.tries++
	if f.err == nil {
		f.WriteString(line)
	}
	return f.err
}

func (f *fragile) Close() error { return nil }

func TestDestinationThatWorksAgainIsUsedAgain(t *testing.T) {
	var stderr bytes.Buffer
	broken := &fragile{err: errors.New("no space")}
	out := &output{stderr: &stderr}
	out.add("disk", broken, nil)
	put := func(text string) { out.put(slog.LevelInfo, "", text+"\n") }
	put("one")
	put("two")
	if broken.tries != 1 {
		t.Errorf("a broken destination was tried %d times at once", broken.tries)
	}
	out.destinations[0].later = time.Now()
	put("again")
	broken.err = nil
	out.destinations[0].later = time.Now()
	put("three")
	if want := "napback: warning: disk: no space; its lines are written here instead\none\ntwo\nagain\n"; stderr.String() != want || broken.String() != "three\n" {
		t.Errorf("stderr %q, disk %q", stderr.String(), broken.String())
	}
}

func TestLinesOfManyGoroutinesStayWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	log := open(t, Options{File: path})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			mine := log.With(Job, fmt.Sprint("job", i))
			for range 100 {
				mine.Info("message")
			}
		})
	}
	all.Wait()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := regexp.MustCompile(`(?m)^\S+ INFO job\d: message$`).FindAll(data, -1)
	if len(whole) != 800 || lines(t, path) != 800 {
		t.Errorf("%d whole lines of %d", len(whole), lines(t, path))
	}
}
