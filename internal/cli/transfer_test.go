package cli

import (
	"strings"
	"testing"
	"time"
)

// at is a transfer that has moved so many bytes a second for so many seconds.
func at(label string, perSecond int64, seconds int) (*transfer, time.Time) {
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	t := newTransfer(label, now)
	for range seconds {
		now = now.Add(time.Second)
		t.sample(now, t.moved+perSecond, t.moved+perSecond)
	}
	return t, now
}

func TestTheLineTellsHowFarItIs(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds int
		change  func(*transfer)
		want    string
	}{
		{"nothing is known yet", 0, func(*transfer) {}, "job 3/12 home: 0 B, 0s so far"},
		{"no total", 10, func(*transfer) {}, "job 3/12 home: 10.0 MB, 1.0 MB/s, 10s so far"},
		{"a total", 10, func(t *transfer) { t.total = 40e6 }, "job 3/12 home: 10.0 MB of 40.0 MB, 25%, 1.0 MB/s, 30s left"},
		{"a guess", 10, func(t *transfer) { t.total, t.about = 220e6, true }, "job 3/12 home: 10.0 MB of about 220.0 MB, 4%, 1.0 MB/s, 3m30s left"},
		{"more than the guess", 10, func(t *transfer) { t.total, t.about = 9e6, true }, "job 3/12 home: 10.0 MB, 1.0 MB/s, 10s so far"},
		{"all of it", 10, func(t *transfer) { t.total = 10e6 }, "job 3/12 home: 10.0 MB of 10.0 MB, 100%, 1.0 MB/s, 10s so far"},
		{"the reader is slow", 10, func(t *transfer) { t.total, t.piped = 10e6, 4e6 }, "job 3/12 home: 10.0 MB of 10.0 MB, 6.0 MB to write, 100%, 1.0 MB/s, 10s so far"},
		{"the store is slow", 10, func(t *transfer) { t.piped = 85e6 }, "job 3/12 home: 10.0 MB, 75.0 MB to send, 1.0 MB/s, 10s so far"},
		{"a chunk is sent again", 10, func(t *transfer) { t.moved = 5e6; t.piped = 10e6 }, "job 3/12 home: 5.0 MB, 5.0 MB to send, 500.0 kB/s, 10s so far"},
		{"an empty one", 10, func(t *transfer) { t.total, t.moved, t.piped = 0, 0, 0 }, "job 3/12 home: 0 B, 10s so far"},
	} {
		tr, now := at("job 3/12 home", 1e6, c.seconds)
		c.change(tr)
		if got := tr.line(now, 120); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// The rate is that of the last half minute, not of all the time.
func TestTheRateIsOfNow(t *testing.T) {
	tr, now := at("x", 1e6, 600)
	for range 31 {
		now = now.Add(time.Second)
		tr.sample(now, tr.moved, tr.moved)
	}
	if got := tr.line(now, 80); !strings.Contains(got, ", 0 B/s,") || len(tr.samples) > 40 {
		t.Errorf("%s; %d samples", got, len(tr.samples))
	}
	tr, now = at("x", 1e6, 600)
	for range 30 {
		now = now.Add(time.Second)
		tr.sample(now, tr.moved+3e6, tr.moved+3e6)
	}
	if got := tr.line(now, 80); !strings.Contains(got, " 3.0 MB/s,") {
		t.Error(got)
	}
}

func TestTheLineFitsEveryTerminal(t *testing.T) {
	for _, label := range []string{"s3put", "job 3/12 a/rather/long/name/of/a/job/that/is/longer/than/any/terminal/that/people/use/today/x", "job 1/1 日本語のとても長い名前のバックアップ", "a\x1b[2Jb\nc"} {
		tr, now := at(label, 123456789, 59)
		tr.total, tr.about, tr.piped = 99e9, true, 9e9 // a line of many digits
		for width := -1; width < 160; width++ {
			line, summary := tr.line(now, width), tr.summary(now, width)
			if n := max(wide(line), wide(summary)); n > max(width, 0) || strings.ContainsAny(line, "\x1b\n\r") {
				t.Errorf("%d columns of %d: %q, %q", n, width, line, summary)
			}
			if width >= 60 && !strings.Contains(line, " left") || width >= 84 && !(strings.Contains(line, "%") && strings.Contains(line, "/s")) {
				t.Errorf("width %d leaves out what matters: %q", width, line)
			}
		}
	}
}
