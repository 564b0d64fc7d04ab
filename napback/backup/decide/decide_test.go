package decide

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/state"
)

// noon is a time on day n of a round of 8 slots with a FULL on days 0 and 4.
func noon(n int) time.Time { return time.Date(2026, 11, 19+n, 12, 0, 0, 0, time.Local) }

// runAt is a run of day n; letter tells those of one day apart.
func runAt(n int, letter string) string {
	return noon(n).UTC().Format("20060102T150405Z") + "-" + strings.Repeat(letter, 4)
}

// facts are what a Planner decides on, on day n. The state lists the runs of its
// points.
func facts(n int, current, previous *state.Point, runs ...catalog.Entry) *Planner {
	p := &Planner{Job: "x", Schedule: slot.Simple{Frequency: 1, Diffs: 3, Fulls: 2}, Self: Identity{Owner: "me", Host: "here", Source: "Directory /x"},
		Day: Day{Today: slot.Today(noon(n))}, Hash: "h", Now: noon(n), Record: state.Record{Current: current, Previous: previous}, Contents: &catalog.Contents{Runs: runs, Counted: map[string]string{}}}
	for _, point := range []*state.Point{previous, current} {
		if point != nil {
			p.Record.Runs = append(p.Record.Runs, point.Stored())
		}
	}
	return p
}

// at is the archive of day n and its state; its parent is that of day n-1.
func at(n int, kind slot.Type) (*state.Point, catalog.Entry) {
	p := facts(n, nil, nil)
	s := p.Schedule.At(p.Today)
	run := func(n int) string { return runAt(n, "a") }
	name := catalog.Name("x", s.Number, kind)
	point := &state.Point{Archive: state.Archive{Name: name, Run: run(n), Type: kind, Slot: s.Number, Turn: s.Turn, Cycle: s.Cycle, Date: p.Today}, Hash: "h"}
	entry := catalog.Entry{Bucket: "b", Name: name, Run: run(n), State: catalog.Committed, Host: "here", Owner: "me", Committed: noon(n),
		Meta: map[string]string{"job": "x", "source": "Directory /x", "date": p.Today.String(), "type": string(kind)}}
	full := n - n%4
	point.Chain, point.FullName = run(full), catalog.Name("x", s.Number-int64(n%4), slot.Full)
	entry.Meta["chain"] = point.Chain
	if kind == slot.Diff {
		entry.BuildsOn, point.Parent = run(n-1), run(n-1)
	}
	return point, entry
}

// said sums up what a Planner decides.
func said(p *Planner) string {
	d, err := p.Plan()
	switch {
	case err != nil:
		return err.Error()
	case d.Kind == "" && d.Done:
		return "done"
	case d.Base != nil:
		return string(d.Kind) + " on day " + fmt.Sprint(d.Base.Date.Sub(slot.Today(noon(0)))) + strings.Join(append([]string{""}, d.Warnings...), "; ")
	}
	return string(d.Kind) + " " + d.Why + strings.Join(append([]string{""}, d.Warnings...), "; ")
}

func TestDecisions(t *testing.T) {
	p0, e0 := at(0, slot.Full)
	p1, e1 := at(1, slot.Diff)
	p2, e2 := at(2, slot.Diff)
	change := func(e catalog.Entry, f func(*catalog.Entry)) catalog.Entry {
		e.Meta = maps.Clone(e.Meta)
		f(&e)
		return e
	}
	denied := func(e catalog.Entry) catalog.Entry {
		e.State, e.Denied, e.Meta, e.Host, e.Owner, e.BuildsOn = catalog.Unreadable, true, nil, "", "", ""
		return e
	}
	damaged := func(e catalog.Entry) catalog.Entry { e = denied(e); e.Denied = false; return e }
	in := func(state string) func(e catalog.Entry) catalog.Entry {
		return func(e catalog.Entry) catalog.Entry { return change(e, func(e *catalog.Entry) { e.State = state }) }
	}
	incomplete, implausible := in(catalog.Incomplete), in(catalog.Implausible)
	elsewhere := func(e catalog.Entry) catalog.Entry {
		return change(e, func(e *catalog.Entry) { e.Owner, e.Host, e.Run = "other", "elsewhere", e.Run[:len(e.Run)-1]+"z" })
	}
	clone := func(e catalog.Entry) catalog.Entry {
		return change(e, func(e *catalog.Entry) { e.Run = runAt(2, "z") })
	}
	force := func(p *Planner) *Planner { p.Force = true; return p }
	listDenied := func(p *Planner) *Planner { p.Contents.ListDenied = true; return p }
	broken := func(p *Planner, e catalog.Entry) *Planner {
		p.Contents.Counted[e.Address()] = "2 of 3 chunks"
		return p
	}
	planted := change(e1, func(e *catalog.Entry) { e.Name, e.Owner = "x-0-DIFF", "other" })
	for name, c := range map[string]struct {
		Planner *Planner
		want    string // a part of it
	}{
		"first":                          {facts(0, nil, nil), "FULL"},
		"first in the middle":            {facts(2, nil, nil), "FULL there is no state"},
		"second":                         {facts(1, p0, nil, e0), "DIFF on day 0"},
		"third":                          {facts(2, p1, p0, e0, e1), "DIFF on day 1"},
		"after a missed day":             {facts(3, p1, p0, e0, e1), "DIFF on day 1"},
		"next FULL":                      {facts(4, p2, p1, e0, e1, e2), "FULL"},
		"after a missed FULL":            {facts(5, p2, p1, e0, e1, e2), "FULL the FULL of this cycle is missing"},
		"done":                           {facts(2, p2, p1, e0, e1, e2), "done"},
		"state says done, bucket not":    {facts(2, p2, p1, e0, e1), "DIFF on day 1"},
		"the bucket has it incomplete":   {facts(2, p2, p1, e0, e1, incomplete(e2)), "DIFF on day 1"},
		"denied manifests, done":         {facts(2, p2, p1, denied(e0), denied(e1), denied(e2)), "done"},
		"denied manifests":               {facts(2, p1, p0, denied(e0), denied(e1)), "DIFF on day 1"},
		"denied, parent lost":            {facts(2, p1, p0, denied(e0)), "FULL run " + e1.Run + ", which it would build on, is not in the bucket"},
		"a damaged FULL":                 {facts(2, p1, p0, damaged(e0), e1), "has a manifest that cannot be read"},
		"a damaged DIFF":                 {facts(2, p1, p0, e0, damaged(e1)), "has a manifest that cannot be read"},
		"another FULL":                   {facts(2, p1, p0, change(e0, func(e *catalog.Entry) { e.Meta["date"] = "2026-01-01" }), e1), "is not as it was stored"},
		"a FULL that is not whole":       {broken(facts(2, p1, p0, e0, e1), e0), "is not whole: 2 of 3 chunks"},
		"a damaged one is not done":      {facts(2, p2, p1, e0, e1, damaged(e2)), "DIFF on day 1"},
		"listDenied, done":               {listDenied(facts(2, p2, p1)), "done"},
		"listDenied":                     {listDenied(facts(2, p1, p0)), "DIFF on day 1"},
		"listDenied, back in time":       {listDenied(facts(1, p2, p1)), "done"},
		"forced":                         {force(facts(2, p2, p1, e0, e1, e2)), "DIFF on day 1"},
		"forced, state before is lost":   {force(facts(2, p2, nil, e0, e1, e2)), "FULL there is no state from before"},
		"forced FULL":                    {force(facts(0, p0, nil, e0)), "FULL"},
		"forced, later ones build on":    {force(facts(1, p2, p1, e0, e1, e2)), "DIFF on day 2"},
		"FULL lost":                      {facts(2, p1, p0, e1), "FULL the FULL x-0-FULL, run " + e0.Run + ", is not in the bucket"},
		"FULL incomplete":                {facts(2, p1, p0, incomplete(e0), e1), "FULL the FULL"},
		"FULL implausible":               {facts(2, p1, p0, implausible(e0), e1), "FULL the FULL"},
		"parent lost":                    {facts(2, p1, p0, e0), "FULL run"},
		"a link in the middle is lost":   {facts(3, p2, p1, e0, e2), "FULL run"},
		"another has the name of a link": {facts(3, p2, p1, e0, planted, e2), "FULL run"},
		"and is damaged":                 {facts(3, p2, p1, e0, damaged(planted), e1, e2), "DIFF on day 2"},
		"the bucket alone is not done":   {facts(2, nil, nil, e0, e1, e2), "FULL"},
		"another host's day is not ours": {facts(2, p1, p0, e0, e1, elsewhere(e2)), "DIFF on day 1; archives named x-... are also those of owner other (host elsewhere, Directory /x, since 2026-11-21)"},
		"a newer one of our own owner":   {facts(3, p1, p0, e0, e1, clone(e2)), "FULL x-2-DIFF, run " + runAt(2, "z")},
		"an older one of our own owner":  {facts(3, p2, p1, e0, e1, e2, change(e0, func(e *catalog.Entry) { e.Run = runAt(0, "z") })), "DIFF on day 2"},
		"this host was renamed": {facts(2, p1, p0, change(e0, func(e *catalog.Entry) { e.Host = "before" }),
			change(e1, func(e *catalog.Entry) { e.Host = "before" })), "DIFF on day 1"},
		"a state in the future": {facts(-7, p0, nil, e0), "in the future"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := said(c.Planner); !strings.Contains(got, c.want) {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
	other := facts(2, p1, p0, e0, e1)
	other.Hash = "other"
	if got := said(other); !strings.Contains(got, "have changed") {
		t.Errorf("other options: %s", got)
	}
}

// A slot that holds a later date keeps it; the clock may be wrong, but the backup is
// stored. Only who asks for a date that is not meant is told so.
func TestASlotThatHoldsALaterDate(t *testing.T) {
	p8, e8 := at(8, slot.Full)
	p := facts(9, p8, nil, e8)
	p.Today = slot.Today(noon(0))
	if got := said(p); !strings.Contains(got, "FULL; slot 0 holds") && !strings.Contains(got, "holds x-") {
		t.Error(got)
	}
	p.Dated = true
	if _, err := p.Plan(); err == nil || !strings.Contains(err.Error(), "later than 2026-11-19") {
		t.Error(err)
	}
	p.Force = true
	if d, err := p.Plan(); err != nil || len(d.Warnings) != 1 {
		t.Error(d, err)
	}
}

// What was stored today for an earlier day of the same slot does not make today done.
func TestADayIsNotDoneByAnotherOfItsSlot(t *testing.T) {
	p0, e0 := at(0, slot.Full)
	p0.Run, e0.Run = runAt(8, "a"), runAt(8, "a")
	if facts(8, p0, nil, e0).Done(p0.Slot) {
		t.Error("day 8 is done by day 0")
	}
}

// What --date has stored for a day to come does not make that day done.
func TestADayIsNotDoneBeforeItCame(t *testing.T) {
	p2, e2 := at(2, slot.Diff)
	for made, want := range map[int]bool{-30: false, 0: false, 1: true, 2: true, 5: true} {
		point, entry := *p2, e2
		point.Run, entry.Run = runAt(made, "a"), runAt(made, "a")
		p := facts(2, &point, nil, entry)
		p.Now = noon(5)
		if got := p.Done(p2.Slot); got != want {
			t.Errorf("made on day %d: done %v", made, got)
		}
	}
}

// A store's clock that has gone back by years makes all that is there look as if it
// came from the future. What it stores until it is right again takes no place.
func TestAStoreWhoseClockHasGoneBackRetiresNothing(t *testing.T) {
	for name, c := range map[string]struct {
		modified func(n int) time.Time // when the store says that it stored the run of day n
		gone     int
	}{
		"all were stored in the future":  {noon, 0},
		"only their own times are wrong": {func(int) time.Time { return noon(-3000) }, 1},
	} {
		p := facts(-3000, nil, nil)
		p.Schedule = slot.Simple{Frequency: 1, Fulls: 8}
		for _, n := range []int{0, 1, 2, 3, 4, 5, 6, 7, -3000} {
			date := slot.Today(noon(n))
			number := p.Schedule.At(date).Number
			run := state.Run{Archive: state.Archive{Name: catalog.Name("x", number, slot.Full), Run: runAt(n, "a"), Type: slot.Full, Slot: number, Date: date}}
			p.Record.Runs = append(p.Record.Runs, run)
			p.Contents.Runs = append(p.Contents.Runs, catalog.Entry{Bucket: "b", Name: run.Name, Run: run.Run, State: catalog.Committed, Owner: "me", Modified: c.modified(n)})
		}
		if gone := p.Retirement().Gone; len(gone) != c.gone {
			t.Errorf("%s: %v may go; want %d", name, gone, c.gone)
		}
	}
}

func TestPendingStateIsSettledByTheBucket(t *testing.T) {
	p0, e0 := at(0, slot.Full)
	p1, e1 := at(1, slot.Diff)
	r := state.Record{Current: p0, Pending: &state.Pending{Current: p1, Previous: p0}}
	incomplete, damaged, denied := e1, e1, e1
	incomplete.State = catalog.Incomplete
	damaged.State = catalog.Unreadable
	denied.State, denied.Denied, denied.Meta = catalog.Unreadable, true, nil
	p1.Token = "only s3put is told"
	planted := e1
	planted.Meta = maps.Clone(e1.Meta)
	e1.Meta["token"] = p1.Token
	for name, c := range map[string]struct {
		held *catalog.Contents
		want *state.Point
	}{
		"committed":  {&catalog.Contents{Runs: []catalog.Entry{e0, e1}}, p1},
		"denied":     {&catalog.Contents{Runs: []catalog.Entry{e0, denied}}, p1},
		"absent":     {&catalog.Contents{Runs: []catalog.Entry{e0}}, p0},
		"incomplete": {&catalog.Contents{Runs: []catalog.Entry{e0, incomplete}}, p0},
		"damaged":    {&catalog.Contents{Runs: []catalog.Entry{e0, damaged}}, p0},
		"not whole":  {&catalog.Contents{Runs: []catalog.Entry{e0, e1}, Counted: map[string]string{e1.Address(): "1 of 2 chunks"}}, p0},
		"listDenied": {&catalog.Contents{ListDenied: true}, p0},
		"planted":    {&catalog.Contents{Runs: []catalog.Entry{e0, planted}}, p0},
	} {
		got, said := Settle(r, c.held)
		if got.Current != c.want || got.Pending != nil || said == "" || !got.Has(p1.Name, p1.Run) {
			t.Errorf("%s: %+v, %q", name, got, said)
		}
		if got.Runs[0].Unconfirmed != (c.want == p0) {
			t.Errorf("%s: listed as %+v", name, got.Runs)
		}
	}
}

func TestAdoptingByItself(t *testing.T) {
	me := Identity{Owner: "new", Host: "here", Source: "Directory /x", Machine: "m"}
	_, e0 := at(0, slot.Full)
	_, e1 := at(1, slot.Diff)
	for name, c := range map[string]struct {
		host, source, machine string
		now                   int
		want                  bool
	}{
		"same machine":                     {"here", "Directory /x", "m", 2, true},
		"another machine, today":           {"here", "Directory /x", "n", 2, false},
		"another machine, long idle":       {"here", "Directory /x", "n", 4, true},
		"another host name":                {"there", "Directory /x", "m", 30, false},
		"another source":                   {"here", "Directory /y", "m", 30, false},
		"a machine that is not known":      {"here", "Directory /x", "", 2, false},
		"a machine that is not known, old": {"here", "Directory /x", "", 4, true},
	} {
		var runs []catalog.Entry
		for _, e := range []catalog.Entry{e0, e1} {
			e.Owner, e.Host, e.Meta = "old", c.host, maps.Clone(e.Meta)
			e.Meta["source"], e.Meta["machine"] = c.source, c.machine
			runs = append(runs, e)
		}
		a, ok := me.Adoptable(runs, slot.DefaultSimple(), noon(c.now))
		if ok != c.want || ok && (a.Owner != "old" || len(a.Runs) != 2) {
			t.Errorf("%s: %+v, %v", name, a, ok)
		}
		if !ok {
			continue
		}
		r := Adopt(state.Record{}, a)
		if r.Owner != "old" || len(r.Runs) != 2 || !r.Runs[1].Adopted || r.Runs[1].Parent != e0.Run || r.Current != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
