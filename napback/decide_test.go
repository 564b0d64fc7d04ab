package main

import (
	"strings"
	"testing"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
)

func TestOnlyOurOwnArchiveNamesAreTaken(t *testing.T) {
	for name, want := range map[string]struct {
		number int64
		kind   slot.Type
		ok     bool
	}{
		"home-3-DIFF": {3, slot.Diff, true}, "home-12-FULL": {12, slot.Full, true}, "home--3-FULL": {-3, slot.Full, true},
		"home-2-3-DIFF": {}, "home-x-DIFF": {}, "home-03-DIFF": {}, "home-3-diff": {}, "home-3": {}, "homes-3-DIFF": {}, "home-3-DIFF/x": {}, "": {},
	} {
		if number, kind, ok := slotOf(name, "home"); ok != want.ok || ok && (number != want.number || kind != want.kind) {
			t.Errorf("slotOf(%q) = %d, %s, %v", name, number, kind, ok)
		}
	}
}

// facts are what a planner decides on, for the day n of a round of 8 slots with
// a FULL on days 0 and 4.
func facts(n int, current, previous *state.Point, runs ...catalog.Entry) *planner {
	date, _ := slot.ParseDate("2026-11-19")
	job := &config.Job{Kind: config.Directory, Source: "/x", Name: "x"}
	job.Settings.Schedule = slot.Simple{Frequency: 1, Diffs: 3, Fulls: 2}
	return &planner{job: job, host: "here", today: date.AddDays(int64(n)), hash: "h",
		record: state.Record{Current: current, Previous: previous}, held: &holdings{runs: runs}}
}

// at is the archive of day n and its state; its parent is that of day n-1.
func at(n int, kind slot.Type) (*state.Point, catalog.Entry) {
	p := facts(n, nil, nil)
	s := p.job.Settings.Schedule.At(p.today)
	run := func(n int) string { return "R" + string(rune('0'+n)) }
	name := archiveName("x", s.Number, kind)
	point := &state.Point{Name: name, Run: run(n), Type: kind, Slot: s.Number, Turn: s.Turn, Cycle: s.Cycle, Date: p.today, Hash: "h"}
	entry := catalog.Entry{Name: name, Run: run(n), State: catalog.Committed, Host: "here", Meta: map[string]string{"job": "x", "date": p.today.String(), "type": string(kind)}}
	full := n - n%4
	point.Chain, point.FullName = run(full), archiveName("x", s.Number-int64(n%4), slot.Full)
	entry.Meta["chain"] = point.Chain
	if kind == slot.Diff {
		entry.Meta["parent"] = run(n - 1)
	}
	return point, entry
}

func TestDecisions(t *testing.T) {
	p0, e0 := at(0, slot.Full)
	p1, e1 := at(1, slot.Diff)
	p2, e2 := at(2, slot.Diff)
	unreadable := func(e catalog.Entry) catalog.Entry { e.State, e.Meta, e.Host = catalog.Unreadable, nil, ""; return e }
	incomplete := func(e catalog.Entry) catalog.Entry { e.State, e.Meta, e.Host = catalog.Incomplete, nil, ""; return e }
	elsewhere := func(e catalog.Entry) catalog.Entry { e.Host = "elsewhere"; return e }
	for name, c := range map[string]struct {
		planner *planner
		force   bool
		blind   bool
		want    string // done, or what is made; or a part of the error
	}{
		"first":                         {planner: facts(0, nil, nil), want: "FULL"},
		"first in the middle":           {planner: facts(2, nil, nil), want: "FULL"},
		"second":                        {planner: facts(1, p0, nil, e0), want: "DIFF on R0"},
		"third":                         {planner: facts(2, p1, p0, e0, e1), want: "DIFF on R1"},
		"after a missed day":            {planner: facts(3, p1, p0, e0, e1), want: "DIFF on R1"},
		"next FULL":                     {planner: facts(4, p2, p1, e0, e1, e2), want: "FULL"},
		"after a missed FULL":           {planner: facts(5, p2, p1, e0, e1, e2), want: "FULL"},
		"done":                          {planner: facts(2, p2, p1, e0, e1, e2), want: "done"},
		"done, without state":           {planner: facts(2, nil, nil, e0, e1, e2), want: "done"},
		"done by another host":          {planner: facts(2, nil, nil, elsewhere(e2)), want: "of host"},
		"state says done, bucket not":   {planner: facts(2, p2, p1, e0, e1), want: "DIFF on R1"},
		"the bucket has it incomplete":  {planner: facts(2, p2, p1, e0, e1, incomplete(e2)), want: "DIFF on R1"},
		"unreadable manifests, done":    {planner: facts(2, p2, p1, unreadable(e0), unreadable(e1), unreadable(e2)), want: "done"},
		"unreadable manifests":          {planner: facts(2, p1, p0, unreadable(e0), unreadable(e1)), want: "DIFF on R1"},
		"unreadable, parent lost":       {planner: facts(2, p1, p0, unreadable(e0)), want: "FULL"},
		"blind, done":                   {planner: facts(2, p2, p1), blind: true, want: "done"},
		"blind":                         {planner: facts(2, p1, p0), blind: true, want: "DIFF on R1"},
		"blind, back in time":           {planner: facts(1, p2, p1), blind: true, want: "comes before"},
		"forced":                        {planner: facts(2, p2, p1, e0, e1, e2), force: true, want: "DIFF on R1"},
		"forced, state before is lost":  {planner: facts(2, p2, nil, e0, e1, e2), force: true, want: "FULL"},
		"forced FULL":                   {planner: facts(0, p0, nil, e0), force: true, want: "FULL"},
		"forced, later ones build on":   {planner: facts(1, p2, p1, e0, e1, e2), force: true, want: "builds on"},
		"FULL lost":                     {planner: facts(2, p1, p0, e1), want: "FULL"},
		"FULL incomplete":               {planner: facts(2, p1, p0, incomplete(e0), e1), want: "FULL"},
		"parent lost":                   {planner: facts(2, p1, p0, e0), want: "FULL"},
		"a link in the middle is lost":  {planner: facts(3, p2, p1, e0, e2), want: "FULL"},
		"slot of another host":          {planner: facts(2, p1, p0, e0, e1, elsewhere(e2)), force: true, want: "of host"},
		"this host was renamed":         {planner: facts(2, p1, p0, elsewhere(e0), elsewhere(e1)), want: "DIFF on R1"},
		"this host was renamed, forced": {planner: facts(1, p1, p0, elsewhere(e0), elsewhere(e1)), force: true, want: "DIFF on R0"},
	} {
		t.Run(name, func(t *testing.T) {
			c.planner.force, c.planner.held.blind = c.force, c.blind
			got := ""
			d, err := c.planner.plan()
			switch {
			case err != nil:
				got = err.Error()
			case d.kind == "" && d.done:
				got = "done"
			case d.base != nil:
				got = string(d.kind) + " on " + d.base.Run
			default:
				got = string(d.kind)
			}
			if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
				t.Errorf("got %s; want %s", got, c.want)
			}
		})
	}
	other := facts(2, p1, p0, e0, e1)
	other.hash = "other"
	if d, err := other.plan(); err != nil || d.kind != slot.Full || !strings.Contains(d.why, "have changed") {
		t.Errorf("other options: %+v, %v", d, err)
	}
}

// What a new archive builds on is never retired, whatever slot it is in.
func TestRetiringSparesTheChain(t *testing.T) {
	_, full := at(1, slot.Full)
	for want, now := range map[bool]*state.Point{
		true:  {FullName: "x-0-FULL", ParentName: "x-0-FULL"},
		false: {FullName: "x-1-FULL", ParentName: "x-2-DIFF"},
	} {
		p := facts(1, nil, nil, full)
		d := &decision{slot: slot.Slot{Number: 1}, kind: slot.Diff}
		if name, ok := p.retired(d, now); ok != want || name != "" && name != "x-1-FULL" {
			t.Errorf("%+v: retires %q, %v", now, name, ok)
		}
	}
}

func TestPendingStateIsSettledByTheBucket(t *testing.T) {
	p0, e0 := at(0, slot.Full)
	p1, e1 := at(1, slot.Diff)
	r := state.Record{Current: p0, Pending: &state.Pending{Current: p1, Previous: p0}}
	incomplete := e1
	incomplete.State = catalog.Incomplete
	for name, c := range map[string]struct {
		held *holdings
		want *state.Point
	}{
		"committed":  {&holdings{runs: []catalog.Entry{e0, e1}}, p1},
		"absent":     {&holdings{runs: []catalog.Entry{e0}}, p0},
		"incomplete": {&holdings{runs: []catalog.Entry{e0, incomplete}}, p0},
		"blind":      {&holdings{blind: true}, p0},
	} {
		got, said := reconcile(r, c.held)
		if got.Current != c.want || got.Pending != nil || said == "" {
			t.Errorf("%s: %+v, %q", name, got, said)
		}
	}
}

func TestReportOfTar(t *testing.T) {
	var r tarReport
	for line, forPeople := range map[string]bool{
		`tar: a\: b\377: Cannot open: Permission denied`:                        true,
		`tar: d/e: Read error at byte 0, while reading 512 bytes: Input/output`: true,
		`tar: s: socket ignored`:                                                false,
		`tar: g: file changed as we read it`:                                    true,
		`tar: h: Warning: Cannot flistxattr: Operation not supported`:           true,
		`Total bytes written: 20480 (20KiB, 18MiB/s)`:                           false,
		`tar: x: Directory is new`:                                              false,
		`tar: x: Directory has been renamed from 'y'`:                           false,
		`tar: ` + lastWords:                                                     false,
		`something else`:                                                        true,
	} {
		if got := r.line(line); got != forPeople {
			t.Errorf("%s: for people %v", line, got)
		}
	}
	if len(r.unread) != 2 || len(r.warnings) != 2 || r.bytes != 20480 || r.moved == "" {
		t.Errorf("%+v", r)
	}
	for escaped, want := range map[string]string{`a\: b\377\n\\x\`: "a: b\xff\n\\x\\", `\0412`: "!2", "plain": "plain"} {
		if got := unescape(escaped); got != want {
			t.Errorf("unescape(%q) = %q; want %q", escaped, got, want)
		}
	}
}
