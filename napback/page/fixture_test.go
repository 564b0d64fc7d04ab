package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

// at is when the pages of the tests are made.
var at = time.Date(2026, 11, 22, 3, 40, 0, 0, time.UTC)

var (
	today = slot.Today(at)
	daily = slot.DefaultSimple()
)

// made is a job whose archives were made as a schedule asks, on every due day that
// skip does not name.
type made struct {
	name, source string
	schedule     slot.Schedule
	begin        int // days before today
	bytes        int64
	skip         func(ago int) bool
	checked      string
	change       func(e *catalog.Entry, ago int)
	account      func(a catalog.Archives) state.Account
}

// job makes what status hands over, by the code that status uses.
func (m made) job(t testing.TB) Job {
	t.Helper()
	if m.schedule == nil {
		m.schedule = slot.DefaultSimple()
	}
	var entries []catalog.Entry
	full, last := "", ""
	for ago := m.begin; ago >= 0; ago-- {
		s, due := m.schedule.Slot(today.AddDays(int64(-ago)))
		if !due || m.skip != nil && m.skip(ago) {
			continue
		}
		e := m.entry(s, ago)
		if s.Type == slot.Full || full == "" {
			full = e.Run
			e.Meta["type"] = string(slot.Full)
		} else {
			e.Meta["parent"] = last
		}
		e.Meta["chain"], last = full, e.Run
		if m.change != nil {
			m.change(&e, ago)
		}
		entries = append(entries, e)
	}
	a, err := catalog.OfJob(entries, m.name, catalog.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	j := Job{Standing: standing.Judge(m.schedule, today, a, m.checked), Schedule: m.schedule, Today: today, Archives: a, Checked: m.checked}
	j.Standing.Job, j.Standing.Source = m.name, m.source
	if m.account != nil {
		j.Account = m.account(a)
	}
	return j
}

// entry is the archive of a day. Sizes go up and down, the same each time.
func (m made) entry(s slot.Slot, ago int) catalog.Entry {
	committed := time.Date(2026, 11, 22, 3, 15, 40, 0, time.UTC).AddDate(0, 0, -ago)
	bytes := m.bytes + m.bytes*int64(m.begin-ago)/200
	if s.Type == slot.Diff {
		bytes = m.bytes / 90 * int64(2+(ago*7)%5)
	}
	return catalog.Entry{
		Bucket: "bk", Name: fmt.Sprintf("%s-%d-%s", m.name, s.Number, s.Type), Run: committed.Format("20060102T150405Z") + "-aaaa",
		State: catalog.Committed, Committed: committed, Host: "web1", Owner: "me", Bytes: bytes,
		Meta: map[string]string{
			"job": m.name, "source": m.source, "type": string(s.Type), "slot": fmt.Sprint(s.Number),
			"date": today.AddDays(int64(-ago)).String(),
		},
	}
}

// provedBy is a drill of the archive that was made so many days ago.
func provedBy(ago int) func(a catalog.Archives) state.Account {
	return func(a catalog.Archives) state.Account {
		date := today.AddDays(int64(-ago)).String()
		for _, e := range a.All {
			if e.Date() == date {
				return state.Account{Proof: &state.Proof{
					At: e.Committed.Add(9 * time.Hour), Archive: e.Name + ":" + e.Run, Date: date,
					Proved: "restored 5120 files, 5093 compared", Bytes: e.Bytes, Seconds: 93,
				}}
			}
		}
		return state.Account{}
	}
}

func failed(days int, reason string) func(catalog.Archives) state.Account {
	return func(catalog.Archives) state.Account {
		began := time.Date(2026, 11, 22, 3, 15, 2, 0, time.UTC)
		ended, since := began.Add(time.Minute), began.AddDate(0, 0, -days)
		return state.Account{Failing: &since, Attempt: &state.Attempt{Began: began, Ended: &ended, Outcome: "FAILED", Failed: true, Reason: reason}}
	}
}

// site is a host with what hosts have.
func site(t testing.TB) Page {
	t.Helper()
	p := Page{Host: "web1.example.org", At: at}
	for _, m := range []made{
		{name: "etc", source: "Directory /etc", begin: 30, bytes: 2_300_000, account: provedBy(2)},
		{name: "home", source: "Directory /home", begin: 33, bytes: 41_200_000_000, account: provedBy(8)},
		{name: "var/www", source: "Directory /var/www", begin: 33, bytes: 6_300_000_000},
		{name: "PostgreSQL/shop", source: "PostgreSQL shop", schedule: slot.Simple{Frequency: 1, Fulls: 28}, begin: 27, bytes: 880_000_000,
			skip:    func(ago int) bool { return ago < 5 },
			account: failed(4, `pg_dump: exit status 1: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL: password authentication failed for user "backup"`)},
		{name: "MySQL/wiki", source: "MySQL wiki", schedule: slot.Hanoi{Frequency: 1, Discs: 7}, begin: 120, bytes: 310_000_000},
		{name: "Subversion/svn/tools", source: "Subversion /srv/svn/tools", begin: 24, bytes: 92_000_000,
			skip: func(ago int) bool { return ago < 3 }, checked: "2026-11-21"},
		{name: "srv/media", source: "Directory /srv/media", begin: 31, bytes: 512_000_000_000,
			skip: func(ago int) bool { return ago == 12 || ago == 11 }},
		{name: "opt/app", source: "Directory /opt/app", begin: 20, bytes: 420_000_000,
			change: func(e *catalog.Entry, ago int) {
				if ago == 1 {
					e.Meta["parent"] = "20261101T031540Z-gone"
				}
			}},
		{name: "archive", source: "Directory /srv/archive", schedule: slot.Simple{Frequency: 7, Fulls: 12}, begin: 80, bytes: 900_000_000_000},
		{name: "new", source: "Directory /srv/new", begin: -1},
	} {
		p.Jobs = append(p.Jobs, rotated(m).job(t))
	}
	return p
}

// rotated leaves out what a rotation has removed: archives whose slot a later day has
// used, unless a DIFF is built on them.
func rotated(m made) made {
	schedule := m.schedule
	if schedule == nil {
		schedule = slot.DefaultSimple()
	}
	skip := m.skip
	_, hanoi := schedule.(slot.Hanoi)
	m.skip = func(ago int) bool {
		s, _ := schedule.Slot(today.AddDays(int64(-ago)))
		for later := ago - 1; hanoi && later >= 0; later-- {
			if l, due := schedule.Slot(today.AddDays(int64(-later))); due && l.Number == s.Number {
				return true
			}
		}
		return skip != nil && skip(ago)
	}
	return m
}

func render(t testing.TB, p Page) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
