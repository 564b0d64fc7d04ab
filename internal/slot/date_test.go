package slot

import (
	"encoding/json"
	"testing"
	"time"
	_ "time/tzdata" // the zones, wherever the tests run
)

func TestDaysAreCountedFromTheEpoch(t *testing.T) {
	for text, want := range map[string]int64{
		"1970-01-01": 0, "1970-01-02": 1, "1969-12-31": -1, "2000-02-29": 11016, "2000-03-01": 11017,
		"2026-11-20": 20777, "0001-01-01": -719162, "9999-12-31": 2932896,
	} {
		d, err := ParseDate(text)
		if err != nil || d.Day() != want || d.String() != text {
			t.Errorf("ParseDate(%q) = %v, day %d, %v; want day %d", text, d, d.Day(), err, want)
		}
		if back := d.AddDays(-want); back != (Date{}) || d.Sub(back) != want {
			t.Errorf("%q less %d days is %v", text, want, back)
		}
	}
}

func TestParseDateRefusesWhatTheCalendarDoesNotHave(t *testing.T) {
	for text, want := range map[string]string{
		"2026-02-30":  `date "2026-02-30": there is no such day`,
		"2025-02-29":  `date "2025-02-29": there is no such day`,
		"2026-13-01":  `date "2026-13-01": there is no such day`,
		"2026-00-10":  `date "2026-00-10": there is no such day`,
		"0000-01-01":  `date "0000-01-01": there is no year 0`,
		"":            `date "": want YYYY-MM-DD`,
		"today":       `date "today": want YYYY-MM-DD`,
		"2026-2-3":    `date "2026-2-3": want YYYY-MM-DD`,
		"2026-02-03 ": `date "2026-02-03 ": want YYYY-MM-DD`,
		"-026-02-03":  `date "-026-02-03": want YYYY-MM-DD`,
		"20260203":    `date "20260203": want YYYY-MM-DD`,
	} {
		if d, err := ParseDate(text); err == nil || err.Error() != want {
			t.Errorf("ParseDate(%q) = %v, %v; want %s", text, d, err, want)
		}
	}
}

func TestDateInJSON(t *testing.T) {
	var d Date
	if err := json.Unmarshal([]byte(`"2026-11-20"`), &d); err != nil || d.Day() != 20777 {
		t.Fatalf("got %v, %v", d, err)
	}
	if out, err := json.Marshal(d); err != nil || string(out) != `"2026-11-20"` {
		t.Fatalf("got %s, %v", out, err)
	}
	if err := json.Unmarshal([]byte(`"2026-02-30"`), &d); err == nil || d.Day() != 20777 {
		t.Fatalf("got %v, %v; want an error and the date untouched", d, err)
	}
}

// zones are chosen for their worst days: summer time that begins at midnight
// (São Paulo, Cairo), clocks that went back across midnight (St. John's), a
// shift of half an hour (Lord Howe), a civil day that never was (Apia).
func zones(t *testing.T) []*time.Location {
	var all []*time.Location
	for _, name := range []string{"UTC", "Europe/Rome", "America/New_York", "America/Sao_Paulo", "America/St_Johns",
		"Africa/Cairo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Pago_Pago"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, zone)
	}
	return all
}

func TestTodayIsTheLocalDateAtEveryMomentOf20Years(t *testing.T) {
	for _, zone := range zones(t) {
		t.Run(zone.String(), func(t *testing.T) {
			end := time.Date(2027, 1, 2, 0, 0, 0, 0, zone)
			latest := Today(time.Date(2006, 12, 31, 0, 0, 0, 0, zone))
			for now := time.Date(2006, 12, 31, 0, 0, 0, 0, zone); now.Before(end); now = now.Add(61 * time.Minute) {
				today := Today(now)
				if today.String() != now.Format("2006-01-02") {
					t.Fatalf("Today(%v) = %v", now, today)
				}
				// No day of the calendar is left out, but the one that Samoa left out.
				if today.Sub(latest) > 1 && !(zone.String() == "Pacific/Apia" && today.String() == "2011-12-31") {
					t.Fatalf("%v follows %v", today, latest)
				}
				if today.Sub(latest) > 0 {
					latest = today
				}
			}
			if latest.String() != "2027-01-01" && latest.String() != "2027-01-02" {
				t.Fatalf("the last day was %v", latest)
			}
		})
	}
}

func FuzzParseDate(f *testing.F) {
	for _, seed := range []string{"2026-11-20", "2026-02-30", "0001-01-01", "9999-12-31", "", "20261120"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDate(text); err == nil && d.String() != text {
			t.Fatalf("ParseDate(%q) = %v", text, d)
		}
	})
}
