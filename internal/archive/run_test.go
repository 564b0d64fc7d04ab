package archive

import (
	"testing"
	"time"
)

func TestRunIsGreaterThanEveryEarlierRun(t *testing.T) {
	now := time.Date(2026, 11, 20, 3, 15, 2, 999, time.FixedZone("", 3600))
	for _, c := range []struct {
		name string
		last Run
		time string
		late bool
	}{
		{"first", "", "20261120T021502Z", false},
		{"older one exists", "20261120T021501Z-zzzz", "20261120T021502Z", false},
		{"same second", "20261120T021502Z-zzzz", "20261120T021503Z", false},
		{"quick succession", "20261120T021601Z-zzzz", "20261120T021602Z", false},
		{"clock went back a little", "20261120T021603Z-zzzz", "20261120T021604Z", true},
		{"clock went back", "20270101T000000Z-zzzz", "20270101T000001Z", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, late := NewRun(now, c.last)
			if _, err := ParseRun(string(run)); err != nil {
				t.Fatal(err)
			}
			if string(run[:16]) != c.time || late != c.late || run <= c.last {
				t.Errorf("NewRun = %s, late %v; want %s, %v, greater than %s", run, late, c.time, c.late, c.last)
			}
		})
	}
}

func TestRunsOfTheSameSecondDiffer(t *testing.T) {
	seen := map[Run]bool{}
	for range 100 {
		run, _ := NewRun(time.Unix(0, 0), "")
		seen[run] = true
	}
	if len(seen) < 90 {
		t.Errorf("100 runs have only %d identifiers", len(seen))
	}
}
