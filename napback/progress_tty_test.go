//go:build linux

package main

import (
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// screen is what a terminal shows in the end of all that was written to it, if it is as
// wide as its longest line. drawn are the lines that were written over.
func screen(written string) (rows, drawn []string) {
	for line := range strings.SplitSeq(written, "\n") {
		var row []rune
		for _, part := range strings.Split(line, "\r") {
			text := []rune(part)
			row = append(text, row[min(len(text), len(row)):]...)
			if strings.HasPrefix(part, "job ") || strings.HasPrefix(part, "restore ") || strings.HasPrefix(part, "verify ") {
				drawn = append(drawn, strings.TrimRight(part, " "))
			}
		}
		rows = append(rows, strings.TrimRight(string(row), " "))
	}
	return rows, drawn
}

// onTerminal runs napback on a terminal of so many columns.
func (s *site) onTerminal(columns int, args ...string) (code int, rows, drawn []string) {
	s.t.Helper()
	code, written := s.dialogueOn(columns, nil, nil, args...)
	rows, drawn = screen(written)
	return code, rows, drawn
}

var someWay = regexp.MustCompile(`: ([\d.]+ [kM]?B)( of [a-z ]*1\.0 MB, \d+%)`)

// A slow store: each of these takes long enough for several drawings.
const slowly = "\nBandwidthLimit 1M\nRunBefore /bin/sh -c 'echo a hook >&2'\n"

func TestProgressOnATerminalMixesWithNothing(t *testing.T) {
	s := newSite(t)
	s.shell("head -c 1000000 /dev/urandom >f")
	s.configure(slowly + s.block() + "<Directory " + s.dir + "/second>\nName a/long/name/of/another/job\n</Directory>\n")
	s.shell("mkdir ../second; cp f ../second")
	s.napback(0, day(0)) // so that its size is known
	for _, columns := range []int{100, 50} {
		code, rows, drawn := s.onTerminal(columns, "--date", day(0), "-f")
		if code != 0 {
			t.Fatal(rows)
		}
		shown := strings.Join(drawn, "\n")
		for _, want := range []string{"job 1/2 job: ", "job 2/2 a/long", " of about 1.0 MB"} {
			if !strings.Contains(shown, want) {
				t.Errorf("no %q in what was shown:\n%s", want, shown)
			}
		}
		for _, line := range drawn {
			if len(line) >= columns {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		for _, row := range rows {
			if row != "" && !regexp.MustCompile(`^(napback: |JOB +STATE|Directory /)`).MatchString(row) || strings.Contains(row, "job 1/2") {
				t.Errorf("stays on the terminal: %q", row)
			}
		}
	}
	for _, args := range [][]string{{"restore", "--to", s.dir + "/out", "job"}, {"verify"}} {
		code, rows, drawn := s.onTerminal(80, args...)
		if code != 0 || !someWay.MatchString(strings.Join(drawn, "\n")) {
			t.Errorf("%q: exit %d:\n%s\n%s", args, code, strings.Join(drawn, "\n"), strings.Join(rows, "\n"))
		}
		for _, row := range rows {
			if row != "" && !regexp.MustCompile(`^(napback: |ok |restored )`).MatchString(row) {
				t.Errorf("%q: stays on the terminal: %q", args, row)
			}
		}
	}
	if code, rows, drawn := s.onTerminal(80, "--progress", "never", "verify", "job"); code != 0 || len(drawn) > 0 {
		t.Error(rows, drawn)
	}
	if e := s.cmd(0, "verify", "job"); e.stderr != "" {
		t.Errorf("without a terminal: %q", e.stderr)
	}
}

// resize tells a terminal how wide it is.
func resize(t *testing.T, fd uintptr, columns int) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
}
