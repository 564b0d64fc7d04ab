package slot_test

import (
	"fmt"
	"log"

	"napback/internal/slot"
)

// A FULL and two DIFFs, twice, before a slot is used again. The new year changes
// nothing.
func ExampleSimple() {
	s := slot.Simple{Frequency: 1, Diffs: 2, Fulls: 2}
	if err := s.Validate(); err != nil {
		log.Fatal(err)
	}
	first, err := slot.ParseDate("2026-12-30")
	if err != nil {
		log.Fatal(err)
	}
	for n := range int64(7) {
		at := s.At(first.AddDays(n))
		fmt.Println(first.AddDays(n), at.Number, at.Type)
	}
	// Output:
	// 2026-12-30 3 FULL
	// 2026-12-31 4 DIFF
	// 2027-01-01 5 DIFF
	// 2027-01-02 0 FULL
	// 2027-01-03 1 DIFF
	// 2027-01-04 2 DIFF
	// 2027-01-05 3 FULL
}

// Disc 0 is used every other time, disc 1 every fourth. On days in between
// nothing is due.
func ExampleHanoi() {
	h := slot.Hanoi{Frequency: 2, Discs: 3}
	first, err := slot.ParseDate("2026-11-20")
	if err != nil {
		log.Fatal(err)
	}
	for n := range int64(8) {
		date := first.AddDays(n)
		if at, due := h.Slot(date); due {
			fmt.Println(date, at.Number, at.Type)
		}
	}
	// Output:
	// 2026-11-21 1 FULL
	// 2026-11-23 0 FULL
	// 2026-11-25 2 FULL
	// 2026-11-27 0 FULL
}

// How old what can be restored is at least and at most, in days.
func ExampleSchedule_reach() {
	for _, s := range []slot.Schedule{slot.DefaultSimple(), slot.DefaultHanoi()} {
		least, most := s.Reach()
		fmt.Printf("%T: %d slots, %d to %d days\n", s, s.Rotating(), least, most)
	}
	// Output:
	// slot.Simple: 28 slots, 27 to 33 days
	// slot.Hanoi: 5 slots, 8 to 15 days
}
