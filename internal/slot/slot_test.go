package slot

import (
	"fmt"
	"math"
	"testing"
)

func date(t testing.TB, text string) Date {
	t.Helper()
	d, err := ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// schedules are all the kinds of schedule that the property tests run over.
func schedules() []Schedule {
	var all []Schedule
	for _, frequency := range []int{1, 2, 3, 7} {
		for _, diffs := range []int{0, 1, 6} {
			for _, fulls := range []int{1, 2, 4} {
				for phase := range frequency {
					all = append(all, Simple{frequency, phase, diffs, fulls})
				}
				if diffs > 0 {
					all = append(all, Simple{frequency, frequency * (diffs + 1) / 2, diffs, fulls}, Simple{frequency, frequency*(diffs+1) - 1, diffs, fulls})
				}
			}
		}
		for _, discs := range []int{1, 2, 3, 5, 8} {
			all = append(all, Hanoi{frequency, discs, false}, Hanoi{frequency, discs, true})
		}
	}
	return all
}

// frequency and turnsToReuse say what design promises of a schedule: the days
// between turns, and the turns after which a slot is used again.
func frequency(s Schedule) int64 {
	switch s := s.(type) {
	case Simple:
		return int64(s.Frequency)
	case Hanoi:
		return int64(s.Frequency)
	}
	panic("unknown schedule")
}

func turnsToReuse(s Schedule, slot int64) int64 {
	switch s := s.(type) {
	case Simple:
		return int64(s.Fulls) * int64(s.Diffs+1)
	case Hanoi:
		if slot == int64(s.Discs)-1 {
			return 1 << slot
		}
		return 1 << (slot + 1)
	}
	panic("unknown schedule")
}

// periods begin in an ordinary time and before 1970, and last 20 years and more.
func periods(t *testing.T) [][2]Date {
	return [][2]Date{
		{date(t, "2015-12-25"), date(t, "2036-01-10")},
		{date(t, "1958-06-01"), date(t, "1980-01-10")},
	}
}

func forEach(t *testing.T, check func(t *testing.T, s Schedule, from, to Date)) {
	for _, s := range schedules() {
		for _, p := range periods(t) {
			t.Run(fmt.Sprintf("%T%v from %v", s, s, p[0]), func(t *testing.T) {
				if err := s.Validate(); err != nil {
					t.Fatal(err)
				}
				check(t, s, p[0], p[1])
			})
		}
	}
}

func TestDueDaysAreExactlyTheFrequencyApart(t *testing.T) {
	forEach(t, func(t *testing.T, s Schedule, from, to Date) {
		var last Date
		var lastSlot Slot
		dueDays := int64(0)
		for d := from; d.Sub(to) <= 0; d = d.AddDays(1) {
			slot, due := s.Slot(d)
			if !due {
				if slot != (Slot{}) {
					t.Fatalf("%v is not due but has slot %v", d, slot)
				}
				if dueDays > 0 && s.At(d) != lastSlot {
					t.Fatalf("At(%v) = %v; want that of %v, %v", d, s.At(d), last, lastSlot)
				}
				continue
			}
			if slot != s.At(d) {
				t.Fatalf("Slot(%v) = %v but At is %v", d, slot, s.At(d))
			}
			if dueDays > 0 && (d.Sub(last) != frequency(s) || slot.Turn != lastSlot.Turn+1 || slot.Cycle < lastSlot.Cycle || slot.Cycle > lastSlot.Cycle+1) {
				t.Fatalf("%v has %+v after %v with %+v", d, slot, last, lastSlot)
			}
			last, lastSlot = d, slot
			dueDays++
		}
		if want := (to.Sub(from) + 1) / frequency(s); dueDays < want || dueDays > want+1 {
			t.Fatalf("%d due days; want about %d", dueDays, want)
		}
	})
}

func TestASlotIsReusedOnlyWhenItsTurnComes(t *testing.T) {
	forEach(t, func(t *testing.T, s Schedule, from, to Date) {
		used := map[int64]int64{} // slot number: turn
		for d := from; d.Sub(to) <= 0; d = d.AddDays(1) {
			slot, due := s.Slot(d)
			if !due {
				continue
			}
			if before, ok := used[slot.Number]; ok && slot.Turn-before != turnsToReuse(s, slot.Number) {
				t.Fatalf("%v: slot %d is used %d turns after the last time; want %d", d, slot.Number, slot.Turn-before, turnsToReuse(s, slot.Number))
			}
			used[slot.Number] = slot.Turn
			if hanoi, ok := s.(Hanoi); (!ok || !hanoi.ArchiveOldest) && (slot.Number < 0 || slot.Number >= slots(s)) {
				t.Fatalf("%v: slot %d of %d", d, slot.Number, slots(s))
			}
		}
		if hanoi, ok := s.(Hanoi); (!ok || !hanoi.ArchiveOldest) && int64(len(used)) != slots(s) {
			t.Fatalf("%d slots were used; want %d", len(used), slots(s))
		}
	})
}

func slots(s Schedule) int64 {
	if hanoi, ok := s.(Hanoi); ok {
		return int64(hanoi.Discs)
	}
	return s.(Simple).slots()
}

func TestSimpleIsAFullThenItsDiffs(t *testing.T) {
	forEach(t, func(t *testing.T, s Schedule, from, to Date) {
		simple, ok := s.(Simple)
		position := -1 // of the cycle; unknown until its FULL
		var cycle int64
		for d := from; d.Sub(to) <= 0; d = d.AddDays(1) {
			slot, due := s.Slot(d)
			switch {
			case !due:
			case !ok: // Hanoi
				if slot.Type != Full {
					t.Fatalf("%v is a %v", d, slot.Type)
				}
			case slot.Type == Full:
				if position >= 0 && (position != simple.Diffs || slot.Cycle != cycle+1) {
					t.Fatalf("%v: a FULL of cycle %d after %d DIFFs of cycle %d", d, slot.Cycle, position, cycle)
				}
				position, cycle = 0, slot.Cycle
			case position >= 0:
				position++
				if slot.Type != Diff || position > simple.Diffs || slot.Cycle != cycle {
					t.Fatalf("%v: %+v at position %d of cycle %d", d, slot, position, cycle)
				}
			}
		}
	})
}

// stored is what a slot holds in the tests that keep backups: the day and turn it
// was made, and the day of the FULL that it builds on, which stays as long.
type stored struct {
	day  Date
	turn int64
	full Date
}

// keep runs a schedule and calls visit after each day with what the slots hold.
func keep(s Schedule, from, to Date, visit func(d Date, held map[int64]stored)) {
	held := map[int64]stored{}
	var full Date
	for d := from; d.Sub(to) <= 0; d = d.AddDays(1) {
		if slot, due := s.Slot(d); due {
			if slot.Type == Full {
				full = d
			}
			held[slot.Number] = stored{d, slot.Turn, full}
		}
		visit(d, held)
	}
}

// TestReachIsExact also holds what is said of Hanoi: with K discs its oldest
// backup is at least 2^(K-2) and less than 2^(K-1) turns old.
func TestReachIsExact(t *testing.T) {
	forEach(t, func(t *testing.T, s Schedule, from, to Date) {
		if hanoi, ok := s.(Hanoi); ok && hanoi.ArchiveOldest {
			return
		}
		least, most := int64(math.MaxInt64), int64(0)
		keep(s, from, to, func(d Date, held map[int64]stored) {
			if d.Sub(from) < 2*s.Span() {
				return
			}
			oldest := int64(0)
			for _, b := range held {
				oldest = max(oldest, d.Sub(b.full))
			}
			least, most = min(least, oldest), max(most, oldest)
		})
		wantLeast, wantMost := s.Reach()
		if least != wantLeast || most != wantMost {
			t.Fatalf("the oldest is %d to %d days old; Reach says %d to %d", least, most, wantLeast, wantMost)
		}
		if hanoi, ok := s.(Hanoi); ok && hanoi.Discs >= 2 {
			f := int64(hanoi.Frequency)
			if least != f<<(hanoi.Discs-2) || most >= f<<(hanoi.Discs-1) {
				t.Fatalf("%d discs: the oldest is %d to %d days old", hanoi.Discs, least, most)
			}
		}
	})
}

func TestArchiveOldestNeverOverwritesARetiredDisc(t *testing.T) {
	forEach(t, func(t *testing.T, s Schedule, from, to Date) {
		hanoi, ok := s.(Hanoi)
		if !ok || !hanoi.ArchiveOldest {
			return
		}
		plain := hanoi
		plain.ArchiveOldest = false
		last := int64(hanoi.Discs) - 1
		retired := map[int64]Slot{}
		for d := from; d.Sub(to) <= 0; d = d.AddDays(1) {
			slot, due := s.Slot(d)
			without, _ := plain.Slot(d)
			switch {
			case !due:
			case without.Number < last:
				if slot != without {
					t.Fatalf("%v: %+v; want %+v as without ArchiveOldest", d, slot, without)
				}
			case slot.Number >= 0 && slot.Number < last:
				t.Fatalf("%v: the oldest disc goes to slot %d of the rotation", d, slot.Number)
			default:
				if before, taken := retired[slot.Number]; taken {
					t.Fatalf("%v: %+v overwrites %+v", d, slot, before)
				}
				retired[slot.Number] = slot
			}
		}
		if want := to.Sub(from) / s.Span(); int64(len(retired)) < want {
			t.Fatalf("%d discs retired; want %d", len(retired), want)
		}
	})
}

func TestWhichSlotsAreUsedAgain(t *testing.T) {
	for _, c := range []struct {
		s        Schedule
		rotating int64
		never    []int64
	}{
		{DefaultSimple(), 28, []int64{-1, 28}},
		{DefaultHanoi(), 5, []int64{-1, 5}},
		{Hanoi{1, 5, true}, 4, []int64{-1, 4, 5}},
		{Hanoi{1, 1, true}, 0, []int64{0}},
	} {
		if got := c.s.Rotating(); got != c.rotating {
			t.Errorf("%T%v: %d slots", c.s, c.s, got)
		}
		for n := range c.rotating {
			if !c.s.Rotates(n) {
				t.Errorf("%T%v: slot %d", c.s, c.s, n)
			}
		}
		for _, n := range c.never {
			if c.s.Rotates(n) {
				t.Errorf("%T%v: slot %d", c.s, c.s, n)
			}
		}
	}
}
