package retire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"napback/internal/slot"
)

// bucket is a bucket with one job, and the state that stores to it.
type bucket struct {
	runs  []Run // what is there
	order int
	clock int // numbers runs: they sort as they were made
}

// store adds a run as napback makes it, on parent if that is not "".
func (b *bucket) store(s slot.Schedule, date slot.Date, parent string) Run {
	place := s.At(date)
	b.clock++
	b.order++
	r := Run{ID: fmt.Sprintf("R%06d", b.clock), Slot: place.Number, Date: date, Full: parent == "", Ours: true, Order: b.order, Good: true}
	kind := slot.Full
	if parent != "" {
		r.Parents = []string{parent}
		kind = slot.Diff
	}
	r.Name = fmt.Sprintf("x-%d-%s", place.Number, kind)
	b.runs = append(b.runs, r)
	return r
}

func (b *bucket) retire(s slot.Schedule) []Run {
	gone := Decide(b.runs, s).Gone
	b.runs = slices.DeleteFunc(b.runs, func(r Run) bool {
		return slices.ContainsFunc(gone, func(g Run) bool { return g.ID == r.ID })
	})
	return gone
}

// restorable tells whether a run and all that it builds on are there.
func (b *bucket) restorable(id string) bool {
	for steps := 0; steps <= len(b.runs); steps++ {
		i := slices.IndexFunc(b.runs, func(r Run) bool { return r.ID == id })
		switch {
		case i < 0 || !b.runs[i].Good:
			return false
		case b.runs[i].Full:
			return true
		case len(b.runs[i].Parents) == 0:
			return false
		}
		id = b.runs[i].Parents[0]
	}
	return false
}

func (b *bucket) text() string {
	var all []string
	for _, r := range b.runs {
		all = append(all, strings.TrimLeft(r.ID, "R0"))
	}
	return strings.Join(all, " ")
}

func day(n int64) slot.Date { return slot.Date{}.AddDays(n) }

// days stores days first to last as the schedule says, retiring every day.
func (b *bucket) days(s slot.Schedule, first, last int64) {
	parent, cycle := "", int64(-1)
	for n := first; n <= last; n++ {
		place, due := s.Slot(day(n))
		if !due {
			continue
		}
		if place.Type == slot.Full || place.Cycle != cycle {
			parent = ""
		}
		parent, cycle = b.store(s, day(n), parent).ID, place.Cycle
		b.retire(s)
	}
}

// "Four weeks back": on every day each of the 28 slots can be restored.
func TestEverySlotsRestorePointLivesItsFullTime(t *testing.T) {
	s := slot.DefaultSimple()
	var b bucket
	most := 0
	for n := int64(0); n < 200; n++ {
		b.daysOn(s, n)
		if n < 28 {
			continue
		}
		most = max(most, len(b.runs))
		for age := int64(0); age < 28; age++ {
			i := slices.IndexFunc(b.runs, func(r Run) bool { return r.Date == day(n-age) })
			if i < 0 || !b.restorable(b.runs[i].ID) {
				t.Fatalf("on day %d that of %d days ago cannot be restored: %s", n, age, b.text())
			}
		}
	}
	if most != 34 { // 28, and of the oldest chain all but its last
		t.Errorf("at most %d archives; want 34", most)
	}
}

// daysOn stores a single day, on what was stored the day before in its cycle.
func (b *bucket) daysOn(s slot.Schedule, n int64) {
	parent := ""
	if place := s.At(day(n)); place.Type == slot.Diff {
		for _, r := range b.runs {
			if r.Ours && s.At(r.Date).Cycle == place.Cycle && r.Date.Sub(day(n)) < 0 {
				parent = r.ID
			}
		}
	}
	b.store(s, day(n), parent)
	b.retire(s)
}

// slotcalc tells how old the oldest that restores is, by the same rule.
func TestReachIsWhatRetirementKeeps(t *testing.T) {
	for _, s := range []slot.Schedule{
		slot.DefaultSimple(), slot.Simple{Frequency: 1, Diffs: 3, Fulls: 2}, slot.Simple{Frequency: 1, Diffs: 6, Fulls: 1},
		slot.Simple{Frequency: 2, Diffs: 1, Fulls: 3}, slot.Simple{Frequency: 1, Fulls: 5}, slot.DefaultHanoi(), slot.Hanoi{Frequency: 2, Discs: 4},
	} {
		var b bucket
		least, most := int64(1<<60), int64(0)
		for n := int64(0); n < 4*s.Span(); n++ {
			b.days(s, n, n)
			if s.At(day(n)).Type == slot.Diff { // days begins a chain each time it is called
				b.runs[len(b.runs)-1].Full = false
				b.runs[len(b.runs)-1].Parents = []string{b.runs[len(b.runs)-2].ID}
				b.retire(s)
			}
			if n < 2*s.Span() {
				continue
			}
			oldest := int64(0)
			for _, r := range b.runs {
				oldest = max(oldest, day(n).Sub(r.Date))
			}
			least, most = min(least, oldest), max(most, oldest)
		}
		if wantLeast, wantMost := s.Reach(); least != wantLeast || most != wantMost {
			t.Errorf("%T%v: the oldest is %d to %d days old; Reach says %d to %d", s, s, least, most, wantLeast, wantMost)
		}
	}
}

func TestWhatMayGo(t *testing.T) {
	s := slot.Simple{Frequency: 1, Diffs: 1, Fulls: 2} // slots 0 FULL, 1 DIFF, 2 FULL, 3 DIFF
	full := func(id string, order int, n int64) Run {
		return Run{ID: id, Slot: s.At(day(n)).Number, Date: day(n), Full: true, Ours: true, Order: order, Good: true}
	}
	diff := func(id string, order int, n int64, parent string) Run {
		r := full(id, order, n)
		r.Full, r.Parents = false, []string{parent}
		return r
	}
	with := func(r Run, change func(*Run)) Run { change(&r); return r }
	foreign := func(r *Run) { r.Ours = false }
	for name, c := range map[string]struct {
		runs     []Run
		schedule slot.Schedule
		want     string
	}{
		"a FULL in use stays":          {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), full("3", 3, 4)}, s, ""},
		"the chain goes as a whole":    {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), full("3", 3, 4), diff("4", 4, 5, "3")}, s, "2 1"},
		"an earlier date":              {[]Run{full("1", 1, 4), full("2", 2, 0)}, s, ""},
		"and a later one after it":     {[]Run{full("1", 1, 4), full("2", 2, 0), full("3", 3, 8)}, s, "2 1"},
		"the same day again":           {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), diff("3", 3, 1, "1")}, s, "2"},
		"while something builds on":    {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), diff("x", 3, 2, "2"), diff("3", 4, 1, "1")}, s, ""},
		"foreign ones stay":            {[]Run{with(full("1", 0, 0), foreign), full("2", 1, 4)}, s, ""},
		"and replace nothing":          {[]Run{full("1", 1, 0), with(full("2", 2, 4), foreign)}, s, ""},
		"adopted ones replace nothing": {[]Run{full("1", 1, 0), with(full("2", 2, 4), func(r *Run) { r.Adopted = true })}, s, ""},
		"adopted ones are replaced":    {[]Run{with(full("1", 1, 0), func(r *Run) { r.Adopted = true }), full("2", 2, 4)}, s, "1"},
		"a foreign one builds on":      {[]Run{full("1", 1, 0), with(diff("2", 0, 1, "1"), foreign), full("3", 3, 4)}, s, ""},
		"not whole":                    {[]Run{full("1", 1, 0), with(full("2", 2, 4), func(r *Run) { r.Good = false })}, s, ""},
		"what replaces has no FULL":    {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), full("3", 3, 0), diff("4", 4, 5, "lost")}, s, ""},
		"it builds on a namesake of a damaged one": {[]Run{full("1", 1, 0), diff("2", 2, 1, "1"), with(full("3", 3, 8), func(r *Run) { r.Good = false }),
			with(full("3", 0, 12), foreign), diff("4", 4, 9, "3")}, s, ""},
		"in the future":   {[]Run{full("1", 1, 0), with(full("2", 2, 400), func(r *Run) { r.Future = true })}, s, ""},
		"from the future": {[]Run{with(full("1", 1, 400), func(r *Run) { r.Future = true }), full("2", 2, 4)}, s, "1"},
		"unreadable needs what is before": {
			[]Run{full("1", 1, 0), full("2", 2, 4), {ID: "3", Slot: 3, Unclear: true}, full("4", 4, 8)}, s, "1"},
		"of a slot that is gone": {
			[]Run{full("1", 1, 1), full("2", 2, 4), full("3", 3, 6)}, slot.Simple{Frequency: 1, Fulls: 1}, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range Decide(c.runs, c.schedule).Gone {
				got = append(got, r.ID)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%q may go; want %q", strings.Join(got, " "), c.want)
			}
		})
	}
}

// More slots begin another numbering; fewer leave slots that nobody uses.
func TestAChangedScheduleFreesTheOldSlotsInTime(t *testing.T) {
	before, after := slot.Simple{Frequency: 1, Diffs: 3, Fulls: 5}, slot.Simple{Frequency: 1, Diffs: 3, Fulls: 2}
	var b bucket
	b.days(before, 0, 99)
	for n := int64(100); n < 200; n++ {
		b.daysOn(after, n)
		for _, r := range b.runs {
			if !b.restorable(r.ID) {
				t.Fatalf("day %d: %s cannot be restored", n, r.ID)
			}
		}
	}
	for _, r := range b.runs {
		if !after.Rotates(r.Slot) {
			t.Errorf("slot %d still holds %s", r.Slot, r.ID)
		}
	}
}

// Retired discs stay, however the rest turns.
func TestArchivedDiscsStay(t *testing.T) {
	s := slot.Hanoi{Frequency: 1, Discs: 3, ArchiveOldest: true}
	var b bucket
	for n := int64(0); n < 40; n++ {
		b.days(s, n, n)
	}
	if len(b.runs) != 10+2 { // one a cycle of four, and two that turn
		t.Errorf("%d archives: %s", len(b.runs), b.text())
	}
}

// As long as oldest discs are put aside at all: another frequency numbers them anew.
func TestArchivedDiscsStayUnderAnotherSchedule(t *testing.T) {
	for _, after := range []slot.Hanoi{{Frequency: 2, Discs: 3, ArchiveOldest: true}, {Frequency: 1, Discs: 4, ArchiveOldest: true}, {Frequency: 1, Discs: 2, ArchiveOldest: true}} {
		var b bucket
		const first = 20000 // slots of today's dates
		before := slot.Hanoi{Frequency: 1, Discs: 3, ArchiveOldest: true}
		for n := int64(first); n < first+40; n++ {
			b.days(before, n, n)
		}
		discs := map[string]bool{}
		for _, r := range b.runs {
			if !before.Rotates(r.Slot) {
				discs[r.ID] = true
			}
		}
		if len(discs) != 10 {
			t.Fatalf("%d discs are put aside", len(discs))
		}
		for n := int64(first + 40); n < first+80; n++ {
			b.days(after, n, n)
		}
		for _, r := range b.runs {
			delete(discs, r.ID)
		}
		if len(discs) > 0 {
			t.Errorf("%+v: %d of the discs that were put aside for ever are gone", after, len(discs))
		}
	}
}
