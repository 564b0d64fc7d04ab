package main

import (
	"testing"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/chain"
)

func date(t *testing.T, text string) slot.Date {
	t.Helper()
	d, err := slot.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAJobIsJudgedByItsSchedule(t *testing.T) {
	full := func(date string) catalog.Entry {
		return catalog.Entry{Name: "job-0-FULL", Run: date, State: catalog.Committed, Committed: time.Now(),
			Meta: map[string]string{"job": "job", "type": "FULL", "date": date}}
	}
	broken := catalog.Entry{Name: "job-1-DIFF", Run: "x", State: catalog.Committed, Committed: time.Now().Add(time.Hour),
		Meta: map[string]string{"job": "job", "type": "DIFF", "date": "2026-11-20", "parent": "gone"}}
	early := func(e catalog.Entry, made string) catalog.Entry { e.Run = made + "T120000Z-aaaa"; return e }
	daily := slot.DefaultSimple()
	weekly := slot.Simple{Frequency: 7, Fulls: 2} // due on Thursdays
	for name, c := range map[string]struct {
		schedule slot.Schedule
		today    string
		archives []catalog.Entry
		state    health
		next     string
		checked  string
	}{
		"nothing new yesterday":   {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, dueNow, "2026-11-20", "2026-11-19"},
		"nothing new today":       {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, healthy, "2026-11-21", "2026-11-20"},
		"nothing new long ago":    {daily, "2026-11-20", []catalog.Entry{full("2026-11-16")}, overdue, "2026-11-20", "2026-11-18"},
		"done today":              {daily, "2026-11-20", []catalog.Entry{full("2026-11-20")}, healthy, "2026-11-21", ""},
		"today's may still come":  {daily, "2026-11-20", []catalog.Entry{full("2026-11-19")}, dueNow, "2026-11-20", ""},
		"yesterday's never came":  {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, overdue, "2026-11-20", ""},
		"nothing at all":          {daily, "2026-11-20", nil, neverDone, "2026-11-20", ""},
		"nothing whole":           {daily, "2026-11-20", []catalog.Entry{broken}, brokenLast, "2026-11-20", ""},
		"the newest is broken":    {daily, "2026-11-20", []catalog.Entry{full("2026-11-19"), broken}, brokenLast, "2026-11-20", ""},
		"between weekly ones":     {weekly, "2026-11-21", []catalog.Entry{full("2026-11-19")}, healthy, "2026-11-26", ""},
		"a weekly one was missed": {weekly, "2026-11-21", []catalog.Entry{full("2026-11-12")}, overdue, "2026-11-26", ""},
		"made up for later":       {weekly, "2026-11-22", []catalog.Entry{full("2026-11-20")}, healthy, "2026-11-26", ""},
		"for a day to come":       {daily, "2026-11-20", []catalog.Entry{early(full("2026-12-24"), "20261110")}, overdue, "2026-11-20", ""},
		"for tomorrow":            {daily, "2026-11-20", []catalog.Entry{early(full("2026-11-20"), "20261119")}, healthy, "2026-11-21", ""},
	} {
		a, err := catalog.OfJob(c.archives, "job", catalog.Wanted{})
		if err != nil {
			t.Fatal(err)
		}
		if got := judge(c.schedule, date(t, c.today), a, c.checked); got.State != c.state || got.Next != c.next {
			t.Errorf("%s: %s, next %s (%s); want %s, next %s", name, got.State, got.Next, got.Reason, c.state, c.next)
		}
	}
}

func TestTheExitCodeIsThatOfTheCause(t *testing.T) {
	for _, c := range []struct {
		status chain.Status
		want   int
	}{
		{chain.Status{Stage: "s3get", Code: 4}, 4},
		{chain.Status{Stage: "s3get", Code: 5}, 5},
		{chain.Status{Stage: "s3get", Code: 2}, 1}, // of our making, not the user's
		{chain.Status{Stage: "s3get", Code: -1, Signal: "SIGKILL"}, 1},
		{chain.Status{Stage: "pgpipe", Code: 5}, 5},
		{chain.Status{Stage: "pgpipe", Code: 1}, 1},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: WARNING: encrypted message has been manipulated!"}}, 5},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: decryption failed: No secret key"}}, 4},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: public key decryption failed: Timeout"}}, 1},
		{chain.Status{Stage: "zstd", Code: 1}, 5},
		{chain.Status{Stage: "zstd", Code: -1, Signal: "SIGKILL"}, 1},
		{chain.Status{Stage: "tar", Code: 2}, 1},
		{chain.Status{Stage: "tar", Code: 2, Stderr: []string{"tar: Skipping to next header"}}, 5},
	} {
		if got := cli.ExitStatus(explain(t.Context(), &chain.Error{Cause: c.status})); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.status, got, c.want)
		}
	}
}
