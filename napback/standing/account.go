package standing

import (
	"fmt"
	"strings"
	"time"

	"napback/napback/catalog"
	"napback/napback/state"
)

// With adds what DiffDir tells of the job's runs. What the person must see first
// decides:
//
//   - What the bucket tells of the archives themselves (UNKNOWN, BROKEN) stays, and
//     so does what can be seen at once. The failed run is named beside it.
//   - A failed run comes before OVERDUE and NEVER, as it is the cause of them.
//   - A run that goes on comes before nothing of that: the next one that hangs must
//     not hide that there is no backup.
//
// The account is as it was last written: no clock decides which run was the last. An
// account that cannot be used leaves a job that looks well UNKNOWN.
func (s Standing) With(a state.Account, now time.Time) Standing {
	s.Attempt, s.Success, s.Failing, s.Proof = a.Attempt, a.Success, a.Failing, a.Proof
	well := s.State == Healthy || s.State == Due
	switch last := a.Attempt; {
	case a.Unusable != nil:
		if well {
			s.State = Unknown
		}
		s.say("how its last run went cannot be read: " + a.Unusable.Error())
	case last == nil:
	case last.Failed:
		if s.State != Unknown && s.State != Broken {
			s.State, s.Reason = Failed, ""
		}
		s.say(s.failure(now))
	case last.Ended == nil:
		if well {
			s.State = Running
		}
		s.say("a run began " + ago(now, last.Began))
	}
	return s
}

// say adds to the reason.
func (s *Standing) say(text string) {
	if s.Reason != "" {
		text = s.Reason + "; " + text
	}
	s.Reason = text
}

// failure tells of the last run, which failed, and of what there is nevertheless.
func (s *Standing) failure(now time.Time) string {
	last := s.Attempt
	text := fmt.Sprintf("failed %s: %s", ago(now, last.At()), last.Reason)
	if last.Outcome == state.Killed {
		text = fmt.Sprintf("%s, %s", last.Reason, ago(now, last.Began))
	}
	if first := s.Failing; first != nil && now.Sub(*first) > now.Sub(last.Began)+time.Hour {
		text += fmt.Sprintf("; failing since %s", ago(now, *first))
	}
	switch {
	case s.Committed != nil:
		text += fmt.Sprintf("; last good: %s, %s", s.Last, ago(now, *s.Committed))
	case s.State == Failed && s.judged:
		text += "; there is no archive that can be restored"
	}
	if s.isAhead() {
		text += "; the newest archive is not one that this DiffDir tells of: is it a copy?"
	}
	return text
}

// isAhead tells that the bucket has an archive from after the account's last success.
// The failure is told nevertheless: the archive may be another machine's, which has a
// copy of DiffDir.
func (s *Standing) isAhead() bool {
	if s.Archive == "" || s.Success == nil || s.Success.Archive == "" || s.Attempt.Outcome == state.Killed {
		return false
	}
	run := func(archive string) time.Time {
		return catalog.RunTime(archive[strings.LastIndex(archive, ":")+1:])
	}
	return run(s.Archive).After(run(s.Success.Archive))
}

func ago(now, then time.Time) string { return Age(now.Sub(then)) + " ago" }

// Age writes a time span for people: in minutes, hours or days.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "0m"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}
