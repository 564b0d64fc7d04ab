package standing

import (
	"testing"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/state"
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
		state    Health
		next     string
		checked  string
	}{
		"nothing new yesterday":   {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, Due, "2026-11-20", "2026-11-19"},
		"nothing new today":       {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, Healthy, "2026-11-21", "2026-11-20"},
		"nothing new long ago":    {daily, "2026-11-20", []catalog.Entry{full("2026-11-16")}, Overdue, "2026-11-20", "2026-11-18"},
		"done today":              {daily, "2026-11-20", []catalog.Entry{full("2026-11-20")}, Healthy, "2026-11-21", ""},
		"today's may still come":  {daily, "2026-11-20", []catalog.Entry{full("2026-11-19")}, Due, "2026-11-20", ""},
		"yesterday's never came":  {daily, "2026-11-20", []catalog.Entry{full("2026-11-18")}, Overdue, "2026-11-20", ""},
		"nothing at all":          {daily, "2026-11-20", nil, Never, "2026-11-20", ""},
		"nothing whole":           {daily, "2026-11-20", []catalog.Entry{broken}, Broken, "2026-11-20", ""},
		"the newest is broken":    {daily, "2026-11-20", []catalog.Entry{full("2026-11-19"), broken}, Broken, "2026-11-20", ""},
		"between weekly ones":     {weekly, "2026-11-21", []catalog.Entry{full("2026-11-19")}, Healthy, "2026-11-26", ""},
		"a weekly one was missed": {weekly, "2026-11-21", []catalog.Entry{full("2026-11-12")}, Overdue, "2026-11-26", ""},
		"made up for later":       {weekly, "2026-11-22", []catalog.Entry{full("2026-11-20")}, Healthy, "2026-11-26", ""},
		"for a day to come":       {daily, "2026-11-20", []catalog.Entry{early(full("2026-12-24"), "20261110")}, Overdue, "2026-11-20", ""},
		"for tomorrow":            {daily, "2026-11-20", []catalog.Entry{early(full("2026-11-20"), "20261119")}, Healthy, "2026-11-21", ""},
	} {
		a, err := catalog.OfJob(c.archives, "job", catalog.Wanted{})
		if err != nil {
			t.Fatal(err)
		}
		if got := Judge(c.schedule, date(t, c.today), a, c.checked); got.State != c.state || got.Next != c.next {
			t.Errorf("%s: %s, next %s (%s); want %s, next %s", name, got.State, got.Next, got.Reason, c.state, c.next)
		}
	}
}

func TestNothingNewCountsOnlyForTheNewestArchive(t *testing.T) {
	checked := date(t, "2026-11-20")
	entry := catalog.Entry{Name: "job-0-FULL", Run: "b", State: catalog.Committed, Meta: map[string]string{"job": "job", "type": "FULL", "date": "2026-11-19"}}
	a, err := catalog.OfJob([]catalog.Entry{entry}, "job", catalog.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	current := func(name, run string) state.Record {
		return state.Record{Checked: &checked, Current: &state.Point{Archive: state.Archive{Name: name, Run: run}}}
	}
	for name, c := range map[string]struct {
		record state.Record
		a      catalog.Archives
		want   string
	}{
		"the newest":   {current("job-0-FULL", "b"), a, "2026-11-20"},
		"another run":  {current("job-0-FULL", "a"), a, ""},
		"another name": {current("job-1-DIFF", "b"), a, ""},
		"no archives":  {current("job-0-FULL", "b"), catalog.Archives{}, ""},
		"no state":     {state.Record{}, a, ""},
	} {
		if got := CheckedOn(c.record, c.a); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
