package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"napback/internal/cli"
	"napback/internal/slot"
)

// run makes the run of the morning of a day of November 2026.
func run(day int, letters string) string { return fmt.Sprintf("202611%02dT031502Z-%s", day, letters) }

// entry makes a committed archive. Its run is named by letters; parent is a run.
func entry(day int, letters string, kind slot.Type, parent, chain string) Entry {
	r := run(day, letters)
	if kind == slot.Full && chain == "" {
		chain = r
	}
	return Entry{Bucket: "b", Name: fmt.Sprintf("home-%d-%s", day%14, kind), Run: r, State: Committed, Host: "web1",
		Committed: time.Date(2026, 11, day, 3, 20, 0, 0, time.UTC),
		Meta: map[string]string{"job": "home", "source": "Directory /home", "type": string(kind), "date": fmt.Sprintf("2026-11-%02d", day),
			"parent": parent, "chain": chain}}
}

// week is a FULL on the 1st and DIFFs until the 4th, another FULL on the 5th
// and its DIFF on the 6th.
func week() []Entry {
	return []Entry{
		entry(6, "ffff", slot.Diff, run(5, "eeee"), run(5, "eeee")),
		entry(1, "aaaa", slot.Full, "", ""),
		entry(2, "bbbb", slot.Diff, run(1, "aaaa"), run(1, "aaaa")),
		entry(3, "cccc", slot.Diff, run(2, "bbbb"), run(1, "aaaa")),
		entry(4, "dddd", slot.Diff, run(3, "cccc"), run(1, "aaaa")),
		entry(5, "eeee", slot.Full, "", ""),
	}
}

func without(entries []Entry, letters string) []Entry {
	var left []Entry
	for _, e := range entries {
		if !strings.HasSuffix(e.Run, letters) {
			left = append(left, e)
		}
	}
	return left
}

func change(entries []Entry, letters string, f func(*Entry)) []Entry {
	for i := range entries {
		if strings.HasSuffix(entries[i].Run, letters) {
			f(&entries[i])
		}
	}
	return entries
}

// letters shows a chain.
func letters(chain []Entry) string {
	var all []string
	for _, e := range chain {
		all = append(all, e.Run[len(e.Run)-4:])
	}
	return strings.Join(all, " ")
}

func TestAtPlansTheChainOfTheMoment(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const gone = "home-3-DIFF of 2026-11-03 builds on run 20261102T031502Z-bbbb, which is not in the bucket any more"
	for name, c := range map[string]struct {
		entries []Entry
		at      string
		want    string // the chain
		err     string
		hint    string
	}{
		"newest":                    {entries: week(), want: "eeee ffff"},
		"a day":                     {entries: week(), at: "2026-11-03", want: "aaaa bbbb cccc"},
		"the day of a FULL":         {entries: week(), at: "2026-11-05", want: "eeee"},
		"a day without a backup":    {entries: without(week(), "cccc"), at: "2026-11-02", want: "aaaa bbbb"},
		"a later day":               {entries: week(), at: "2027-01-01", want: "eeee ffff"},
		"a time":                    {entries: week(), at: "2026-11-03T03:20:00Z", want: "aaaa bbbb cccc"},
		"just before":               {entries: week(), at: "2026-11-03T03:19:59Z", want: "aaaa bbbb"},
		"a local time":              {entries: week(), at: "2026-11-03 04:20", want: "aaaa bbbb cccc"},
		"a local time with seconds": {entries: week(), at: "2026-11-03T04:19:59", want: "aaaa bbbb"},
		"before the first":          {entries: week(), at: "2026-10-31", err: `job "home" has no archive as of 2026-10-31`, hint: "the nearest that can be restored is of 2026-11-01: --at 2026-11-01"},
		"no archive":                {entries: nil, err: `job "home" has no archives`},
		"superseded link":           {entries: change(week(), "bbbb", func(e *Entry) { e.State = Superseded }), at: "2026-11-03", want: "aaaa bbbb cccc"},
		"incomplete newest":         {entries: change(week(), "ffff", func(e *Entry) { e.State = Incomplete }), want: "eeee"},
		"incomplete link":           {entries: change(week(), "bbbb", func(e *Entry) { e.State = Incomplete }), at: "2026-11-03", err: `job "home" cannot be restored as of 2026-11-03: ` + gone, hint: "the nearest that can be restored is of 2026-11-01: --at 2026-11-01"},
		"missing link":              {entries: without(week(), "bbbb"), at: "2026-11-04", err: `job "home" cannot be restored as of 2026-11-04: ` + gone, hint: "the nearest that can be restored is of 2026-11-01: --at 2026-11-01"},
		"missing FULL":              {entries: without(week(), "aaaa"), at: "2026-11-02", err: `job "home" cannot be restored as of 2026-11-02: home-2-DIFF of 2026-11-02 builds on run 20261101T031502Z-aaaa, which is not in the bucket any more`, hint: "the nearest that can be restored is of 2026-11-05: --at 2026-11-05"},
		"nothing whole":             {entries: without(without(week(), "aaaa"), "eeee"), err: `job "home" cannot be restored as of its newest archive: home-6-DIFF of 2026-11-06 builds on run 20261105T031502Z-eeee, which is not in the bucket any more`, hint: "no archive of the job can be restored: each lacks a link of its chain"},
		"unreadable link":           {entries: change(week(), "eeee", func(e *Entry) { e.State, e.Error, e.Meta = Unreadable, "access denied", nil }), err: `job "home" cannot be restored as of its newest archive: home-6-DIFF of 2026-11-06 builds on home-5-FULL, run 20261105T031502Z-eeee, whose manifest cannot be read: access denied`, hint: "the nearest that can be restored is of 2026-11-04: --at 2026-11-04"},
		"only unreadable":           {entries: change(week()[:1], "ffff", func(e *Entry) { e.State, e.Error, e.Meta = Unreadable, "access denied", nil }), err: `job "home" has no archives`, hint: "what is there has a manifest that cannot be read: access denied"},
		"chain of another FULL":     {entries: change(week(), "ffff", func(e *Entry) { e.Meta["chain"] = run(1, "aaaa") }), err: `job "home" cannot be restored as of its newest archive: home-6-DIFF of run 20261106T031502Z-ffff belongs to the FULL of run 20261101T031502Z-aaaa, but its parents lead to run 20261105T031502Z-eeee`, hint: "the nearest that can be restored is of 2026-11-05: --at 2026-11-05"},
		"a circle":                  {entries: change(week(), "bbbb", func(e *Entry) { e.Meta["parent"] = run(4, "dddd") }), at: "2026-11-04", err: `job "home" cannot be restored as of 2026-11-04: home-4-DIFF of run 20261104T031502Z-dddd builds on itself`, hint: "the nearest that can be restored is of 2026-11-01: --at 2026-11-01"},
		"unknown type":              {entries: change(week(), "ffff", func(e *Entry) { e.Meta["type"] = "DELTA" }), err: `job "home" cannot be restored as of its newest archive: home-6-DIFF of run 20261106T031502Z-ffff has the type "DELTA", neither FULL nor DIFF`, hint: "the nearest that can be restored is of 2026-11-05: --at 2026-11-05"},
		"another job":               {entries: change(week(), "ffff", func(e *Entry) { e.Meta["job"], e.Name = "home-2", "home-2-6-DIFF" }), want: "eeee"},
		"a link of another host":    {entries: change(week(), "eeee", func(e *Entry) { e.Host = "web2" }), err: `job "home" cannot be restored as of its newest archive: home-6-DIFF of 2026-11-06 builds on run 20261105T031502Z-eeee, which is not in the bucket any more`, hint: "the nearest that can be restored is of 2026-11-04: --at 2026-11-04"},
		"day repeated, same slot":   {entries: append(week(), entry(6, "gggg", slot.Diff, run(5, "eeee"), run(5, "eeee"))), want: "eeee gggg"},
		"run for an earlier day":    {entries: append(week(), change([]Entry{entry(7, "late", slot.Full, "", "")}, "late", func(e *Entry) { e.Meta["date"] = "2026-11-02" })...), at: "2026-11-02", want: "late"},
		"a clock put back": {entries: change(change(week(), "eeee", func(e *Entry) {
			e.Run = "20261130T031502Z-eeee"
			e.Committed = e.Committed.AddDate(0, 0, 25)
			e.Meta["chain"] = e.Run
		}), "ffff", func(e *Entry) { e.Meta["chain"], e.Meta["parent"] = "20261130T031502Z-eeee", "20261130T031502Z-eeee" }), want: "eeee ffff"},
		"all in one second": {entries: change(change(week(), "bbbb", func(e *Entry) { e.Committed = time.Date(2026, 11, 2, 3, 20, 0, 0, time.UTC) }), "cccc", func(e *Entry) {
			e.Committed = time.Date(2026, 11, 2, 3, 20, 0, 0, time.UTC)
			e.Run = "20261102T031502Z-aaaa"
			e.Meta["date"] = "2026-11-02"
		}), at: "2026-11-02", want: "aaaa bbbb aaaa"},
		"whole day broken, not first": {entries: append(week(), entry(1, "zzzz", slot.Diff, run(1, "none"), run(1, "none"))), at: "2026-11-01", err: `job "home" cannot be restored as of 2026-11-01: home-1-DIFF of 2026-11-01 builds on run 20261101T031502Z-none, which is not in the bucket any more`, hint: "the nearest that can be restored is of 2026-11-01: --at 2026-11-01T03:20:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := ParseMoment(c.at, berlin)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ofHost(t, c.entries, "web1").At(m)
			if got := letters(p.Chain); got != c.want {
				t.Errorf("chain %q, want %q", got, c.want)
			}
			if c.err == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || cli.ExitStatus(err) != cli.NotFound {
				t.Fatalf("error %v with status %d", err, cli.ExitStatus(err))
			}
			var out strings.Builder
			cli.PrintError(&out, "t", err)
			want := "t: error: " + c.err + "\n"
			if c.hint != "" {
				want += "t: hint: " + c.hint + "\n"
			}
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Hints of At are followed by people who are in a hurry.
func TestTheNearestDateCanBeRestored(t *testing.T) {
	for _, lost := range []string{"aaaa", "bbbb", "cccc", "dddd", "eeee"} {
		a := ofHost(t, without(week(), lost), "")
		for day := 1; day <= 6; day++ {
			m, err := ParseMoment(fmt.Sprintf("2026-11-%02d", day), time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			_, err = a.At(m)
			if err == nil {
				continue
			}
			var out strings.Builder
			cli.PrintError(&out, "t", err)
			_, at, found := strings.Cut(strings.TrimSpace(out.String()), "--at ")
			if !found {
				t.Fatalf("no date in %q", out.String())
			}
			if m, err = ParseMoment(at, time.UTC); err != nil {
				t.Fatal(err)
			}
			if _, err := a.At(m); err != nil {
				t.Errorf("without %s, the 2026-11-%02d: the hint leads to %v", lost, day, err)
			}
		}
	}
}

func TestEveryPointEndsAWholeChain(t *testing.T) {
	a := ofHost(t, week(), "web1")
	for i, p := range a.Points() {
		if p.Broken != nil || p.Chain[len(p.Chain)-1].Run != p.Run || p.Chain[0].Type() != slot.Full {
			t.Errorf("point %d: %+v", i, p)
		}
	}
}

// ofHost are a host's archives of the job home.
func ofHost(t *testing.T, entries []Entry, host string) Archives {
	t.Helper()
	a, err := OfJob(entries, "home", Wanted{Host: host})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestArchivesOfOneOwnerAreUsed(t *testing.T) {
	by := func(owner, host, source string, days ...int) (all []Entry) {
		for _, day := range days {
			e := entry(day, owner+host, slot.Full, "", "")
			e.Owner, e.Host, e.Meta["source"] = owner, host, source
			all = append(all, e)
		}
		return all
	}
	a, b, old, other := by("a", "web1", "Directory /home", 3, 4), by("b", "web1", "Directory /home", 5), by("", "web1", "Directory /home", 1, 2), by("a", "web1", "Directory /srv", 6)
	home := "Directory /home"
	for name, c := range map[string]struct {
		entries []Entry
		wanted  Wanted
		owner   string
		count   int
		err     string
	}{
		"the own":                         {slices.Concat(a, b), Wanted{Own: "a", Source: home}, "a", 2, ""},
		"the only one":                    {a, Wanted{Own: "new", Source: home}, "a", 2, ""},
		"which of several":                {slices.Concat(a, b), Wanted{Own: "new", Source: home}, "", 0, "which owner's archives? there are those of owner a (host web1, Directory /home, since 2026-11-03, last 2026-11-04); owner b"},
		"the one that is named":           {slices.Concat(a, b), Wanted{Own: "a", Owner: "b", Source: home}, "b", 1, ""},
		"one that is not there":           {a, Wanted{Owner: "c"}, "", 0, `owner "c" has stored no archive of it`},
		"a host that is not there":        {a, Wanted{Host: "c"}, "", 0, `host "c" has stored no archive of it`},
		"of an earlier version":           {slices.Concat(old, a), Wanted{Own: "a", Source: home}, "a", 4, ""},
		"of an earlier version, anywhere": {slices.Concat(old, a), Wanted{}, "a", 4, ""},
		"without owners":                  {slices.Concat(old, by("", "web2", home, 5)), Wanted{Host: "web1"}, "", 2, ""},
		"nobody else's":                   {a, Wanted{Own: "new", Source: home, Strict: true}, "", 0, ""},
		"no other source's":               {other, Wanted{Own: "a", Source: home, Strict: true}, "", 0, ""},
		"the own, strictly":               {slices.Concat(a, b), Wanted{Own: "a", Source: home, Strict: true}, "a", 2, ""},
		"strictly, but nobody is known":   {a, Wanted{Source: home, Strict: true}, "a", 2, ""},
		"another source of one owner":     {slices.Concat(a, other), Wanted{Own: "a", Source: home}, "a", 2, ""},
		"a source that was changed":       {a, Wanted{Own: "a", Source: "Directory /new"}, "a", 2, ""},
		"adopted ones":                    {slices.Concat(a, b), Wanted{Own: "b", Source: home, Knows: func(_, run string) bool { return run == a[0].Run }}, "b", 2, ""},
	} {
		got, err := OfJob(c.entries, "home", c.wanted)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || cli.ExitStatus(err) != cli.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		case err != nil || got.Owner != c.owner || len(got.All) != c.count:
			t.Errorf("%s: %d of owner %q, %v", name, len(got.All), got.Owner, err)
		}
	}
	got, _ := OfJob(slices.Concat(a, b), "home", Wanted{Own: "a", Source: home})
	if w := got.Warning(RecoveryPoint{}); !strings.Contains(w, `archives of the name "home" are also those of owner b (host web1`) {
		t.Errorf("warning %q", w)
	}
}

func TestWhatCannotBeTrueIsLeftOutAndSaid(t *testing.T) {
	entries := append(week(), Entry{Name: "home-0-FULL", Run: run(28, "zzzz"), State: Implausible, Error: "it lies in the future", Host: "web1",
		Meta: map[string]string{"job": "home", "type": string(slot.Full), "date": "2027-11-28"}})
	a := ofHost(t, entries, "web1")
	p, err := a.At(Moment{})
	if err != nil || letters([]Entry{p.Entry}) != "ffff" {
		t.Errorf("the newest is %s, %v", p.Run, err)
	}
	if w := a.Warning(p); w != "home-0-FULL of run "+run(28, "zzzz")+" is left out: it lies in the future" {
		t.Errorf("warning %q", w)
	}
}

func TestANewerUnreadableArchiveIsWarnedOf(t *testing.T) {
	entries := append(week(),
		Entry{Name: "home-7-DIFF", Run: run(7, "xxxx"), State: Unreadable, Error: "access denied"},
		Entry{Name: "home-2-7-DIFF", Run: run(7, "yyyy"), State: Unreadable, Error: "of another job"},
		Entry{Name: "home-0-DIFF", Run: run(1, "wwww"), State: Unreadable, Error: "older"})
	a := ofHost(t, entries, "web1")
	p, err := a.At(Moment{})
	if err != nil {
		t.Fatal(err)
	}
	want := "home-7-DIFF of run 20261107T031502Z-xxxx is newer, but its manifest cannot be read: access denied"
	if got := a.Warning(p); got != want {
		t.Errorf("warning %q, want %q", got, want)
	}
}

func TestBadMomentsAreUsageErrors(t *testing.T) {
	for _, text := range []string{"yesterday", "2026-02-30", "2026-11-1", "2026-11-20 25:00", "20:00", "2026-11-20T", "2026-11-20 3"} {
		_, err := ParseMoment(text, time.UTC)
		if !errors.Is(err, errNoMoment) || cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadTakesWhatS3lsPrints(t *testing.T) {
	const listing = `{"bucket":"b","name":"home-0-FULL","run":"20261101T031502Z-aaaa","state":"committed","created":"2026-11-01T03:15:02Z","committed":"2026-11-01T03:20:00Z","host":"web1","tool":"s3put","bytes":12,"chunk_bytes":25000000,"chunks":1,"sums":"00","meta":{"job":"home","type":"FULL","compression":"zstd"},"recover":"x"}
{"bucket":"b","name":"home-1-DIFF","run":"20261102T031502Z-bbbb","state":"incomplete","created":"2026-11-02T03:15:02Z","new field":[1]}
`
	got, err := Read(strings.NewReader(`{"store_time":"2026-11-03T00:00:00Z"}` + "\n" + listing))
	entries := got.Entries
	if err != nil || len(entries) != 2 || !got.Time.Equal(time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%v, %v", got, err)
	}
	e := entries[0]
	if e.Address() != "b:home-0-FULL:20261101T031502Z-aaaa" || e.Job() != "home" || e.Type() != slot.Full || e.Compression() != "zstd" || e.Bytes != 12 ||
		!e.Committed.Equal(time.Date(2026, 11, 1, 3, 20, 0, 0, time.UTC)) || entries[1].State != Incomplete {
		t.Errorf("read as %+v", entries)
	}
	if got := Jobs(entries); len(got) != 1 || got[0] != "home" {
		t.Errorf("jobs %q", got)
	}
	for _, bad := range []string{"{", "[]", `{"bytes":"x"}`, "{}\nx"} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read without an error", bad)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"name":"home-0-FULL","run":"a","state":"committed","meta":{"job":"home","type":"DIFF","parent":"a"}}`)
	f.Add(`{"state":"superseded","meta":{"job":"home","type":"FULL"}}` + "\n" + `{"run":"b","state":"committed","meta":{"job":"home","type":"DIFF","date":"x"}}`)
	f.Add(`{"name":"home-1-DIFF","run":"b","state":"committed","meta":{"job":"home","type":"DIFF","date":"\u001b[2J\nx"},"parent":"\u009b"}`)
	f.Fuzz(func(t *testing.T, listing string) {
		found, err := Read(strings.NewReader(listing))
		if err != nil {
			return
		}
		for _, at := range []string{"", "2026-11-20", "2026-11-20 10:00"} {
			m, err := ParseMoment(at, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			a, err := OfJob(found.Entries, "home", Wanted{})
			if err != nil {
				continue
			}
			if p, err := a.At(m); err != nil {
				var out strings.Builder
				cli.PrintError(&out, "t", err)
				if text := strings.ReplaceAll(out.String(), "\n", ""); text != cli.Safe(text) {
					t.Fatalf("an error that a terminal obeys: %q", text)
				}
			} else if p.Chain[0].Type() != slot.Full || p.Chain[len(p.Chain)-1].Run != p.Run {
				t.Fatalf("a chain that does not lead from a FULL to its archive: %+v", p)
			}
		}
	})
}
