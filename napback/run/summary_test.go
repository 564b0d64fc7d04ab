package run

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/tools"
)

func date(t *testing.T, text string) slot.Date {
	t.Helper()
	d, err := slot.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func summary(t *testing.T, results []result, warnings ...string) string {
	t.Helper()
	for i := range results {
		results[i].describe(func(text string) string { return strings.ReplaceAll(text, "correct horse battery staple", "***") })
	}
	var b strings.Builder
	if err := printSummary(&b, results, warnings, 90*time.Second); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTheSummaryTellsFailuresFirstAndEachReasonOnce(t *testing.T) {
	before := date(t, "2026-11-15")
	gone := cli.WithHint(errors.New(`bucket "x": not found`), "create it")
	got := summary(t, []result{
		{job: "Directory /a", Result: backup.Result{Outcome: backup.Done, Archive: "a-3-FULL", Read: 10240, Stored: tools.Stored{Bytes: 306, Chunks: 1}}, duration: 75 * time.Second},
		{job: "MySQL shop", Result: backup.Result{Outcome: failed}, today: date(t, "2026-11-20"), lastGood: &before, err: gone, trouble: "x"},
		{job: "Directory /b", Result: backup.Result{Outcome: backup.DoneWarned, Archive: "b-3-FULL", Read: 1, Note: "RunAfter: it is late"}, duration: 3 * time.Hour},
		{job: "Directory /c", Result: backup.Result{Outcome: failed}, err: gone, trouble: "x"},
		{job: "Directory /d", Result: backup.Result{Outcome: failed}, err: errors.New("vanished")},
		{job: "Directory /e", Result: backup.Result{Outcome: failed}, err: errors.New("vanished")},
		{job: "Directory /f", Result: backup.Result{Outcome: backup.NotDue}},
		{job: "Directory /g", Result: backup.Result{Outcome: interrupted}},
	}, "log file /x: gone")
	want := `JOB           STATE        ARCHIVE               READ     STORED  TIME
MySQL shop    FAILED       last good 5 days ago  -        -       0.0s
Directory /c  FAILED       last good unknown     -        -       0.0s
Directory /d  FAILED       last good unknown     -        -       0.0s
Directory /e  FAILED       last good unknown     -        -       0.0s
Directory /g  interrupted  last good unknown     -        -       -
Directory /b  warnings     b-3-FULL              1 B      0 B     3h00m
Directory /a  ok           a-3-FULL              10.2 kB  306 B   1m15s
Directory /f  not due      -                     -        -       -

warning: log file /x: gone

FAILED: 2 jobs: MySQL shop, Directory /c:
  bucket "x": not found
  hint: create it

FAILED: Directory /d:
  vanished

FAILED: Directory /e:
  vanished

warnings: Directory /b:
  RunAfter: it is late

8 jobs: 1 ok, 1 with warnings, 5 failed, 1 with nothing to do;
10.2 kB read, 306 B stored; 1m30s
`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// Whatever jobs are called, and whatever programs say.
func TestTheSummaryFitsATerminal(t *testing.T) {
	long := strings.Repeat("/größe", 200)
	name := func(i int, n int) string { return fmt.Sprintf("Directory %s/%d", string([]rune(long)[:n]), i) }
	for n := 1; n < 300; n += 7 {
		var results []result
		for i, outcome := range []backup.Outcome{backup.NothingNew, failed, interrupted, backup.DoneWarned, backup.Done} {
			r := result{job: name(i, n), Result: backup.Result{Outcome: outcome}, duration: 999 * time.Hour}
			switch {
			case r.ending() == 2:
				r.err = cli.WithHint(fmt.Errorf("evil\x1b[2J\r\n %s %s", long, strings.Repeat("word ", n)), "do %s", long)
				r.trouble = "the same"
			case outcome != backup.NothingNew:
				r.Archive, r.Read, r.Stored, r.Note = fmt.Sprintf("%s-%d-FULL", long[:12*n/12], i), 999_900_000, tools.Stored{Bytes: 999_900_000}, long
			}
			results = append(results, r)
		}
		got := summary(t, results, long)
		for line := range strings.Lines(got) {
			line = strings.TrimSuffix(line, "\n")
			if utf8.RuneCountInString(line) > columns || strings.ContainsAny(line, "\x1b\r") {
				t.Fatalf("%d characters: %q", utf8.RuneCountInString(line), line)
			}
		}
		for i := range results {
			if !strings.Contains(got, fmt.Sprintf("/%d  ", i)) {
				t.Fatalf("the end of job %d's name is not in\n%s", i, got)
			}
		}
		if !strings.Contains(got, "-4-FULL  ") {
			t.Fatalf("the end of an archive's name is not in\n%s", got)
		}
	}
}

// A secret that is broken by a line end, or cut, is masked all the same.
func TestSecretsAreMaskedBeforeTextIsBroken(t *testing.T) {
	for n := range 100 {
		reason := strings.Repeat("x", n) + " correct horse battery staple"
		got := summary(t, []result{
			{job: "Directory /" + reason, Result: backup.Result{Outcome: failed}, err: cli.WithHint(errors.New(reason), "%s", reason)},
			{job: "b", Result: backup.Result{Outcome: backup.DoneWarned, Archive: reason, Note: reason}},
		})
		for _, part := range []string{"correct", "horse", "battery", "staple"} {
			if strings.Contains(got, part) {
				t.Fatalf("%q is in\n%s", part, got)
			}
		}
	}
}

func TestTheLastGoodBackupIsToldByDays(t *testing.T) {
	good := date(t, "2026-11-20")
	for today, want := range map[string]string{
		"2026-11-19": "last good 2026-11-20", "2026-11-20": "last good today", "2026-11-21": "last good yesterday",
		"2026-11-22": "last good 2 days ago", "2027-11-20": "last good 365 days ago",
	} {
		r := result{today: date(t, today), lastGood: &good}
		if got := r.lastGoodText(); got != want {
			t.Errorf("on %s: %q, want %q", today, got, want)
		}
	}
}
