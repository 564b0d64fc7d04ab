package slot

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestTheLocalDateDecidesInEveryZone(t *testing.T) {
	checked := []Schedule{DefaultSimple(), Simple{7, 3, 1, 2}, DefaultHanoi(), Hanoi{2, 4, true}}
	for _, zone := range zones(t) {
		t.Run(zone.String(), func(t *testing.T) {
			dueDays := make([]int64, len(checked))
			for day := 0; day < 20*365; day++ {
				civil := date(t, "2007-01-01").AddDays(int64(day))
				// From the first second of the day to the last.
				for _, clock := range [][3]int{{0, 0, 0}, {2, 30, 0}, {12, 0, 0}, {23, 59, 59}} {
					now := time.Date(2007, 1, 1+day, clock[0], clock[1], clock[2], 0, zone)
					if now.Format("2006-01-02") != civil.String() {
						continue // the zone has no such time on that day
					}
					for i, s := range checked {
						got, due := s.Slot(Today(now))
						want, wantDue := s.Slot(civil)
						if got != want || due != wantDue {
							t.Fatalf("%v: %+v, %v; want %+v, %v", now, got, due, want, wantDue)
						}
						if due && clock[0] == 12 {
							dueDays[i]++
						}
					}
				}
			}
			for i, s := range checked {
				want := int64(20*365) / frequency(s)
				if dueDays[i] < want-1 || dueDays[i] > want+1 { // Apia has a day less
					t.Errorf("%v: %d due days; want %d", s, dueDays[i], want)
				}
			}
		})
	}
}

func TestSlotsOfKnownDays(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		day  string
		want Slot
		due  bool
	}{
		{DefaultSimple(), "1970-01-01", Slot{0, Full, 0, 0}, true},
		{DefaultSimple(), "1970-01-08", Slot{7, Full, 7, 1}, true},
		{DefaultSimple(), "1969-12-31", Slot{27, Diff, -1, -1}, true},
		{DefaultSimple(), "2026-11-20", Slot{1, Diff, 20777, 2968}, true},
		{DefaultSimple(), "2026-12-31", Slot{14, Full, 20818, 2974}, true},
		{DefaultSimple(), "2027-01-01", Slot{15, Diff, 20819, 2974}, true},
		{Simple{7, 3, 1, 2}, "1970-01-05", Slot{1, Diff, 1, 0}, true},
		{Simple{7, 3, 1, 2}, "1970-01-06", Slot{}, false},
		{Simple{7, 3, 1, 2}, "1969-12-29", Slot{0, Full, 0, 0}, true},
		{DefaultHanoi(), "1970-01-01", Slot{0, Full, 0, 0}, true},
		{DefaultHanoi(), "1970-01-02", Slot{1, Full, 1, 0}, true},
		{DefaultHanoi(), "1970-01-16", Slot{4, Full, 15, 0}, true},
		{DefaultHanoi(), "1970-02-01", Slot{4, Full, 31, 1}, true},
		{DefaultHanoi(), "1969-12-31", Slot{4, Full, -1, -1}, true},
		{Hanoi{1, 5, true}, "1970-01-16", Slot{4, Full, 15, 0}, true},
		{Hanoi{1, 5, true}, "1970-02-01", Slot{5, Full, 31, 1}, true},
		{Hanoi{1, 5, true}, "1969-12-31", Slot{-1, Full, -1, -1}, true},
		{Hanoi{1, 1, true}, "1970-01-08", Slot{7, Full, 7, 7}, true},
		{Hanoi{3, 1, false}, "1970-01-04", Slot{0, Full, 1, 1}, true},
		{Hanoi{3, 1, false}, "1970-01-05", Slot{}, false},
	} {
		if got, due := c.s.Slot(date(t, c.day)); got != c.want || due != c.due {
			t.Errorf("%T%v on %s: %+v, %v; want %+v, %v", c.s, c.s, c.day, got, due, c.want, c.due)
		}
	}
}

func TestValidateNamesEveryBadNumber(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want string // lines of the error, "" for none
	}{
		{DefaultSimple(), ""},
		{Simple{1, 0, 0, 1}, ""},
		{Simple{maxFrequency, maxFrequency - 1, 0, maxSlots}, ""},
		{Simple{1, 0, maxSlots - 1, 1}, ""},
		{Simple{0, 0, 6, 4}, "frequency 0: want 1 or more"},
		{Simple{maxFrequency + 1, 0, 6, 4}, "frequency 1000001: want at most 1000000"},
		{Simple{1, 6, 6, 4}, ""},
		{Simple{1, 7, 6, 4}, "phase 7: want 0 to 6, as a FULL comes every 7 days"},
		{Simple{1, 1, 0, 4}, "phase 1: want 0, as a FULL comes every day"},
		{Simple{7, 48, 6, 4}, ""},
		{Simple{7, 49, 6, 4}, "phase 49: want 0 to 48, as a FULL comes every 49 days"},
		{Simple{7, 7, 0, 4}, "phase 7: want 0 to 6, as a FULL comes every 7 days"},
		{Simple{7, -1, 6, 4}, "phase -1: want 0 to 48, as a FULL comes every 49 days"},
		{Simple{1, 0, -1, 0}, "diffs -1: want 0 or more\nfulls 0: want 1 or more"},
		{Simple{1, 0, math.MaxInt, math.MaxInt}, fmt.Sprintf("diffs %d: want at most 999999\nfulls %[1]d: want at most 1000000", math.MaxInt)},
		{Simple{1, 0, 999, 1001}, "fulls 1001 with diffs 999: these are 1001000 slots, want at most 1000000"},
		{Simple{math.MinInt, math.MinInt, math.MinInt, math.MinInt}, fmt.Sprintf("frequency %d: want 1 or more\ndiffs %[1]d: want 0 or more\nfulls %[1]d: want 1 or more", math.MinInt)},
		{DefaultHanoi(), ""},
		{Hanoi{maxFrequency, 30, true}, ""},
		{Hanoi{1, 0, false}, "discs 0: want 1 or more"},
		{Hanoi{0, 31, false}, "frequency 0: want 1 or more\ndiscs 31: want at most 30"},
	} {
		got := ""
		if err := c.s.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%T%v: %q; want %q", c.s, c.s, got, c.want)
		}
	}
}

func TestTheLargestSchedulesDoNotOverflow(t *testing.T) {
	for _, s := range []Schedule{Simple{maxFrequency, 0, 0, maxSlots}, Simple{1, 0, maxSlots - 1, 1}, Hanoi{maxFrequency, maxDiscs, true}} {
		if s.Span() <= 0 {
			t.Errorf("%v: span %d", s, s.Span())
		}
		for _, day := range []string{"0001-01-01", "9999-12-31"} {
			if got := s.At(date(t, day)); got.Number >= maxSlots {
				t.Errorf("%v on %s: %+v", s, day, got)
			}
		}
	}
}

func TestWarningsOfSchedulesThatKeepOneBackup(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Simple{1, 0, 6, 1}, "a single FULL, on which every backup depends"},
		{Simple{1, 0, 0, 1}, "only the newest"},
		{Hanoi{1, 1, false}, "only the newest"},
		{Simple{1, 0, 6, 2}, ""}, {Hanoi{1, 2, false}, ""}, {Hanoi{1, 1, true}, ""},
	} {
		got := strings.Join(c.s.Warnings(), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%T%v warns %q; want %q", c.s, c.s, got, c.want)
		}
	}
}
