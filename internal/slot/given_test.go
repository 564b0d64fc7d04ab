package slot

import (
	"strings"
	"testing"
	"time"
)

func TestWhoSpeaksOfFullsOnlyWantsNoDiffs(t *testing.T) {
	for _, c := range []struct {
		given Given
		want  Simple
	}{
		{Given{Frequency: 1}, DefaultSimple()},
		{Given{Frequency: 1, Fulls: new(4)}, Simple{1, 0, 0, 4}},
		{Given{Frequency: 2, Phase: 1, Fulls: new(10)}, Simple{2, 1, 0, 10}},
		{Given{Frequency: 1, Diffs: new(3)}, Simple{1, 0, 3, 4}},
		{Given{Frequency: 1, Diffs: new(0)}, Simple{1, 0, 0, 4}},
		{Given{Frequency: 1, Diffs: new(6), Fulls: new(4)}, DefaultSimple()},
	} {
		got, err := c.given.Simple()
		if err != nil || got != c.want {
			t.Errorf("%+v: %+v, %v; want %+v", c.given, got, err, c.want)
		}
		if want := c.given.Fulls != nil && c.given.Diffs == nil; c.given.OnlyFulls() != want {
			t.Errorf("%+v: OnlyFulls is not %v", c.given, want)
		}
	}
}

func TestEveryFullFallsOnItsWeekday(t *testing.T) {
	for weekday := time.Sunday; weekday <= time.Saturday; weekday++ {
		for _, c := range []struct{ frequency, diffs int }{{1, 6}, {7, 0}, {7, 3}, {1, 13}, {14, 1}, {3, 6}, {2, 6}} {
			given := Given{Frequency: c.frequency, FullOn: &weekday, Diffs: &c.diffs, Fulls: new(2)}
			s, err := given.Simple()
			if err != nil {
				t.Fatalf("%+v: %v", c, err)
			}
			if s.Validate() != nil || s.Frequency != c.frequency || s.Diffs != c.diffs || s.Fulls != 2 {
				t.Fatalf("%+v became %+v", c, s)
			}
			if got := fullDays(s); got != weekday.String() {
				t.Errorf("%v, %+v: FULLs on %s", weekday, s, got)
			}
			for phase := range s.Phase {
				smaller := s
				smaller.Phase = phase
				if fullDays(smaller) == weekday.String() {
					t.Errorf("%v, %+v: phase %d would do", weekday, s, phase)
				}
			}
			// What has no DIFFs is due on the same days.
			plain := s.WithoutDiffs()
			if plain.Diffs != 0 || plain.Phase >= plain.Frequency || plain.Validate() != nil {
				t.Errorf("%+v without DIFFs: %+v", s, plain)
			}
			for n := range int64(100) {
				if slot, due := plain.Slot(Date{n}); due != isDue(s, Date{n}) || due && slot.Type != Full {
					t.Fatalf("%+v on day %d: %+v, %v", plain, n, slot, due)
				}
			}
		}
	}
}

func isDue(s Schedule, d Date) bool {
	_, due := s.Slot(d)
	return due
}

// fullDays are the weekdays that have FULLs, in 40 years before and after 1970.
func fullDays(s Schedule) string {
	var names []string
	for d := (Date{-7500}); d.Day() < 7500; d = d.AddDays(1) {
		name := d.Weekday().String()
		if slot, due := s.Slot(d); due && slot.Type == Full && !strings.Contains(strings.Join(names, " "), name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func TestFullOnNeedsWholeWeeks(t *testing.T) {
	sunday := time.Sunday
	for _, c := range []struct {
		given Given
		want  string
	}{
		{Given{Frequency: 1, Diffs: new(3)}, "full-on sunday: a FULL comes every 4 days (frequency 1, diffs 3), which falls on the same weekday only if the days are a multiple of 7"},
		{Given{Frequency: 1, Fulls: new(3)}, "full-on sunday: a FULL comes every day (frequency 1, diffs 0), which falls on the same weekday only if the days are a multiple of 7"},
		{Given{Frequency: 0}, "frequency 0: want 1 or more"},
		{Given{Frequency: 7, Fulls: new(3)}, ""},
	} {
		c.given.FullOn = &sunday
		got := ""
		if _, err := c.given.Simple(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q; want %q", c.given, got, c.want)
		}
	}
}

func TestWeekdaysAreReadByTheirNames(t *testing.T) {
	for text, want := range map[string]time.Weekday{"sunday": 0, "Sun": 0, "MONDAY": 1, "thu": 4, "Saturday": 6} {
		if got, err := ParseWeekday(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "s", "sund", "sundays", "7", "sonntag"} {
		if got, err := ParseWeekday(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := (Date{}).Weekday(); got != time.Thursday {
		t.Errorf("1970-01-01 was a %v", got)
	}
	if y, m, d := date(t, "1969-12-31").Civil(); y != 1969 || m != time.December || d != 31 {
		t.Errorf("%d %v %d", y, m, d)
	}
}

func TestSchedulesAreDescribed(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{DefaultSimple(), "a FULL every 7 days on a Thursday, 6 DIFFs between, 4 FULLs kept"},
		{Simple{1, 4, 6, 4}, "a FULL every 7 days on a Sunday, 6 DIFFs between, 4 FULLs kept"},
		{Simple{1, 0, 0, 1}, "a FULL every day, 1 FULL kept"},
		{Simple{2, 1, 1, 2}, "a FULL every 4 days, 1 DIFF between, 2 FULLs kept"},
		{DefaultHanoi(), "Towers of Hanoi, a FULL every day, 5 discs"},
		{Hanoi{7, 1, true}, "Towers of Hanoi, a FULL every 7 days, 1 disc, the oldest archived"},
	} {
		if got := Describe(c.s); got != c.want {
			t.Errorf("%T%v: %q; want %q", c.s, c.s, got, c.want)
		}
		if s, ok := c.s.(Simple); ok && strings.Contains(c.want, " on a ") && !strings.Contains(c.want, " on a "+fullDays(s)) {
			t.Errorf("%v: FULLs on %s", s, fullDays(s))
		}
	}
}
