package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/internal/tooltest"
)

// With -update, what a script's cmp finds is written into the script.
var update = flag.Bool("update", false, "write what a script's cmp finds into the script")

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // a program built with -race waits a second before it exits
	testscript.Main(m, map[string]func(){"slotcalc": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
	})
}

// TestManualExamplesRun runs every example of the manual page as it is
// printed, in a directory that has what they name.
func TestManualExamplesRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "documents"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := tooltest.RunExamples(t, "slotcalc.1", dir, os.Environ(), nil)
	if len(out) != 5 {
		t.Fatalf("%d examples; want 5", len(out))
	}
	if made, err := filepath.Glob(filepath.Join(dir, "documents-[0-4]-FULL.tar.gz")); err != nil || len(made) != 1 {
		t.Errorf("made %q, %v", made, err)
	}
	if !strings.Contains(out[1], "due: slot") || !strings.Contains(out[2], "FDDDDDD") || !strings.Contains(out[3], " Mo  Tu ") {
		t.Errorf("printed %q, %q and %q", out[1], out[2], out[3])
	}
	next, err := slot.ParseDate(strings.TrimSpace(out[4]))
	if err != nil || slot.DefaultSimple().At(next).Type != slot.Full {
		t.Errorf("printed %q, %v", out[4], err)
	}
}

func TestAnAnswerThatCannotBePrintedIsAnError(t *testing.T) {
	for _, args := range [][]string{
		{"simple"}, {"hanoi", "--json"}, {"plan", "simple", "--days", "10000"}, {"plan", "hanoi", "--json"}, {"kept", "simple"}, {"kept", "hanoi", "--json"},
	} {
		err := run(context.Background(), args, cli.Streams{Out: fullDisk{}, Err: &bytes.Buffer{}})
		if cli.ExitStatus(err) != cli.Failed || err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func civil(t *testing.T, text string) slot.Date {
	t.Helper()
	d, err := slot.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPictureShowsEveryStageOfTheRotation(t *testing.T) {
	s := slot.Simple{Frequency: 1, Diffs: 2, Fulls: 3} // slots 0 to 8; 1970-01-01 is in slot 0
	first := civil(t, "1970-01-01")
	var got []string
	for n := range int64(13) {
		got = append(got, picture(simulate(s, first, first.AddDays(n))))
	}
	want := []string{
		"F", "FD", "FDD", "FDDF", "FDDFD", "FDDFDD", "FDDFDDF", "FDDFDDFD", "FDDFDDFDD",
		"fDDFDDFDDF", "fdDFDDFDDFD", "FDDFDDFDD", "fDDFDDFDDF",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestAHistoryThatBeginsInACycleBeginsWithAFull(t *testing.T) {
	s := slot.Simple{Frequency: 1, Diffs: 2, Fulls: 2}
	first := civil(t, "1970-01-02")
	var got []string
	for n := range int64(9) {
		got = append(got, picture(simulate(s, first, first.AddDays(n))))
	}
	// The seventh goes to the slot of the FULL that the first became.
	want := []string{"F", "FD", "FDF", "FDFD", "FDFDD", "FDFDDF", "fDFDDFD", "FDDFDD", "fDDFDDF"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestHistoryIsLongEnoughThatItsBeginningIsForgotten(t *testing.T) {
	for _, s := range []slot.Schedule{
		slot.DefaultSimple(), slot.Simple{Frequency: 3, Phase: 2, Diffs: 4, Fulls: 2}, slot.Simple{Frequency: 1, Diffs: 0, Fulls: 1},
		slot.Simple{Frequency: 1, Diffs: 6, Fulls: 1}, slot.DefaultHanoi(), slot.Hanoi{Frequency: 5, Discs: 4}, slot.Hanoi{Frequency: 1, Discs: 1},
	} {
		for n := range 2 * s.Span() {
			date := civil(t, "2026-01-01").AddDays(n)
			short := simulate(s, date.AddDays(-history(s)), date)
			long := simulate(s, date.AddDays(-history(s)-5*s.Span()-1), date)
			if picture(short) != picture(long) {
				t.Fatalf("%T%v on %v: %s, but with more history %s", s, s, date, picture(short), picture(long))
			}
		}
	}
}

func TestLongGapsAreCounted(t *testing.T) {
	s := slot.Hanoi{Frequency: 1, Discs: 7}
	first := civil(t, "1970-01-01")
	// The 95th turn: the two oldest discs are those of turns 32 and 64.
	got := picture(simulate(s, first, first.AddDays(94)))
	if want := "F..31..F...............F.......F...F.FF"; got != want {
		t.Fatalf("got %s; want %s", got, want)
	}
}
