package retire

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"napback/internal/slot"
)

// After any history no slot's archive is lost that the slot still promises,
// nothing foreign is removed, and when all is quiet again little is left over.
func TestAnyHistory(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { anyHistory(t, random) }) {
			return
		}
	}
}

func anySchedule(random *rand.Rand) slot.Schedule {
	if random.IntN(4) == 0 {
		return slot.Hanoi{Frequency: 1 + random.IntN(2), Discs: 1 + random.IntN(4)}
	}
	return slot.Simple{Frequency: 1 + random.IntN(2), Diffs: random.IntN(4), Fulls: 1 + random.IntN(4)}
}

func anyHistory(t *testing.T, random *rand.Rand) {
	s := anySchedule(random)
	var b bucket
	today := int64(1000)
	for range 20 + random.IntN(100) {
		date := day(today)
		switch random.IntN(20) {
		case 0:
			s = anySchedule(random)
		case 1: // the clock jumps for good
			today += random.Int64N(81) - 40
		case 2: // --date
			date = day(today + random.Int64N(81) - 40)
		case 3, 4: // the same day again
		default:
			today++
		}
		parent := ""
		if len(b.runs) > 0 && random.IntN(3) > 0 {
			parent = b.runs[max(0, len(b.runs)-1-random.IntN(3))].ID
		}
		if parent != "" && !b.restorable(parent) {
			parent = "" // napback counts what it builds on
		}
		b.store(s, date, parent)
		last := &b.runs[len(b.runs)-1]
		switch random.IntN(20) {
		case 0:
			last.Ours = false // a clone's
		case 4:
			last.Adopted = true
		case 1:
			last.Future = true
		case 2:
			last.Good = false // not whole
		case 3:
			last.Ours, last.Unclear, last.Parents = false, true, nil
		}
		check(t, &b, s)
	}
	// Quiet days: what was left over goes.
	for range 3 * s.Span() {
		today++
		if _, due := s.Slot(day(today + 200)); due {
			b.daysOn(s, today+200)
		}
	}
	checkLeftOver(t, &b, s)
}

// checkLeftOver checks that no more is left than slots take and others build on.
func checkLeftOver(t *testing.T, b *bucket, s slot.Schedule) {
	t.Helper()
	kept, limit := 0, 0
	for _, r := range b.runs {
		if r.Ours && s.Rotates(r.Slot) {
			kept++
		}
		if !r.Ours {
			limit += 200 // what others build on stays
		}
	}
	if simple, ok := s.(slot.Simple); ok {
		limit += int(s.Rotating()) + simple.Diffs + 1
	} else {
		limit += int(s.Rotating())
	}
	if kept > limit {
		t.Fatalf("%d runs are left in %d slots: %s", kept, s.Rotating(), b.text())
	}
}

// check retires, and checks that nothing is lost by it.
func check(t *testing.T, b *bucket, s slot.Schedule) {
	t.Helper()
	promised := map[string]string{}
	newest, last := map[int64]Run{}, map[int64]Run{}
	for _, r := range b.runs {
		switch {
		case !r.Ours:
			if b.restorable(r.ID) {
				promised[r.ID] = "is foreign"
			}
		case r.Good && !r.Future && b.restorable(r.ID) && !b.futureChain(r.ID):
			if old, ok := newest[r.Slot]; !ok || r.Date.Sub(old.Date) >= 0 {
				newest[r.Slot] = r
			}
			last[r.Slot] = r
		}
	}
	for _, of := range []map[int64]Run{newest, last} {
		for number, r := range of {
			if s.Rotates(number) {
				promised[r.ID] = fmt.Sprintf("is what slot %d holds", number)
			}
		}
	}
	before := slices.Clone(b.runs)
	for _, g := range b.retire(s) {
		if !g.Ours {
			t.Fatalf("%s is foreign, and removed", g.ID)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(promised)) {
		if !b.restorable(id) {
			t.Fatalf("%s %s, and can no longer be restored:\nbefore %+v\nafter %s", id, promised[id], before, b.text())
		}
	}
	if again := Decide(b.runs, s).Gone; len(again) > 0 {
		t.Fatalf("a second look removes %v", again)
	}
}

// futureChain tells whether a run builds on one whose time cannot be true.
func (b *bucket) futureChain(id string) bool {
	for range b.runs {
		i := slices.IndexFunc(b.runs, func(r Run) bool { return r.ID == id })
		if i < 0 || b.runs[i].Future {
			return true
		}
		if len(b.runs[i].Parents) == 0 {
			return false
		}
		id = b.runs[i].Parents[0]
	}
	return false
}
