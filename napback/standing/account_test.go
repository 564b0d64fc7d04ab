package standing

import (
	"errors"
	"strings"
	"testing"
	"time"

	"napback/napback/state"
)

func TestWhatMustBeSeenFirstIsTheState(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	before := func(d time.Duration) *time.Time { then := now.Add(-d); return &then }
	const day = 24 * time.Hour
	failed := state.Attempt{Began: *before(4 * time.Hour), Ended: before(3 * time.Hour), Failed: true, Outcome: "FAILED", Reason: "no tape"}
	killed := state.Attempt{Began: *before(5 * time.Hour), Failed: true, Outcome: state.Killed, Reason: "was killed"}
	runs := state.Attempt{Began: *before(5 * time.Minute)}
	good := state.Attempt{Began: *before(day), Ended: before(day), Outcome: "ok", Archive: "job-0-FULL:20261119T120000Z-aaaa"}
	account := func(last state.Attempt, success *state.Attempt, failing *time.Time) state.Account {
		return state.Account{Attempt: &last, Success: success, Failing: failing}
	}
	has := Standing{Last: "2026-11-15", Committed: before(5 * day), Archive: good.Archive, judged: true}
	in := func(s Standing, h Health, reason string) Standing { s.State, s.Reason = h, reason; return s }
	newer := has
	newer.Archive = "job-1-DIFF:20261120T090000Z-bbbb"

	for name, c := range map[string]struct {
		s      Standing
		a      state.Account
		state  Health
		reason string
	}{
		"no account":               {in(has, Due, ""), state.Account{}, Due, ""},
		"the last was good":        {in(has, Healthy, ""), account(good, &good, nil), Healthy, ""},
		"failed though done":       {in(has, Healthy, ""), account(failed, &good, nil), Failed, "failed 3h ago: no tape; last good: 2026-11-15, 5d ago"},
		"failed, not over":         {in(has, Due, ""), account(failed, &good, before(4*time.Hour)), Failed, "failed 3h ago: no tape; last good: 2026-11-15, 5d ago"},
		"fails every day":          {in(has, Overdue, "there is none of the 19th"), account(failed, &good, before(5*day)), Failed, "failed 3h ago: no tape; failing since 5d ago; last good: 2026-11-15, 5d ago"},
		"never, and now we see":    {in(Standing{judged: true}, Never, "no archive can be restored"), account(failed, nil, nil), Failed, "failed 3h ago: no tape; there is no archive that can be restored"},
		"broken and failed":        {in(has, Broken, "a link is gone"), account(failed, &good, nil), Broken, "a link is gone; failed 3h ago: no tape; last good: 2026-11-15, 5d ago"},
		"nobody knows, and failed": {in(Standing{}, Unknown, "no answer"), account(failed, &good, nil), Unknown, "no answer; failed 3h ago: no tape"},
		"killed":                   {in(has, Healthy, ""), account(killed, &good, nil), Failed, "was killed, 5h ago; last good: 2026-11-15, 5d ago"},
		"runs":                     {in(has, Due, ""), account(runs, &good, nil), Running, "a run began 5m ago"},
		"runs again":               {in(has, Due, ""), account(runs, &good, before(day)), Running, "a run began 5m ago"},
		"runs, and hangs":          {in(has, Overdue, "there is none of the 19th"), account(runs, &good, nil), Overdue, "there is none of the 19th; a run began 5m ago"},
		"runs for the first time":  {in(Standing{judged: true}, Never, "none"), account(runs, nil, nil), Never, "none; a run began 5m ago"},
		"runs, unknown":            {in(Standing{}, Unknown, "no answer"), account(runs, nil, nil), Unknown, "no answer; a run began 5m ago"},
		"a copy of DiffDir":        {in(newer, Healthy, ""), account(failed, &good, nil), Failed, "failed 3h ago: no tape; last good: 2026-11-15, 5d ago; the newest archive is not one that this DiffDir tells of: is it a copy?"},
		"killed after the commit":  {in(newer, Healthy, ""), account(killed, &good, nil), Failed, "was killed, 5h ago; last good: 2026-11-15, 5d ago"},
		"unusable":                 {in(has, Healthy, ""), state.Account{Unusable: errors.New("damaged")}, Unknown, "how its last run went cannot be read: damaged"},
		"unusable and overdue":     {in(has, Overdue, "late"), state.Account{Unusable: errors.New("damaged")}, Overdue, "late; how its last run went cannot be read: damaged"},
	} {
		if got := c.s.With(c.a, now); got.State != c.state || got.Reason != c.reason {
			t.Errorf("%s: %s, %q; want %s, %q", name, got.State, got.Reason, c.state, c.reason)
		}
	}
}

// The account is what was written last. A clock that was years ahead, or is years
// behind now, hides no failure.
func TestNoClockHidesAFailure(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, years := range []int{-20, 20} {
		then := now.AddDate(years, 0, 0)
		good := state.Attempt{Began: now, Ended: &now, Archive: "job-0-FULL:20261120T120000Z-aaaa"}
		a := state.Account{Attempt: &state.Attempt{Began: then, Ended: &then, Failed: true, Reason: "no tape"}, Success: &good, Failing: &then}
		s := Standing{State: Healthy, Last: "2026-11-20", Committed: &now, Archive: good.Archive, judged: true}.With(a, now)
		if s.State != Failed || !strings.Contains(s.Reason, "no tape") {
			t.Errorf("%d years: %s, %s", years, s.State, s.Reason)
		}
	}
}

func TestEveryStateIsListedOnce(t *testing.T) {
	seen := map[Health]bool{}
	for _, h := range States() {
		if seen[h] {
			t.Errorf("%s is there twice", h)
		}
		seen[h] = true
		if upper := strings.ToUpper(string(h)) == string(h); upper != (h.Bad() || h == Unknown) {
			t.Errorf("%s: what is bad is written in capitals, and alarms match these", h)
		}
	}
}
