// Package standing judges whether a job has its backups, by what there is of it and
// by what its schedule asks for. It looks at nothing but what it is given.
package standing

import (
	"fmt"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/state"
)

// Health says how a job stands.
type Health string

// How jobs stand.
const (
	Healthy Health = "ok"
	Due     Health = "due" // today, and not done yet
	Overdue Health = "OVERDUE"
	Never   Health = "NEVER"  // was it backed up
	Broken  Health = "BROKEN" // the newest archive cannot be restored
	Failed  Health = "FAILED" // did its last run, or it was killed
	Running Health = "running"
	Unknown Health = "UNKNOWN" // the bucket, or DiffDir, does not answer
)

// States are all of them, the worst last.
func States() []Health {
	return []Health{Healthy, Due, Running, Overdue, Never, Failed, Broken, Unknown}
}

// Bad tells that somebody has to do something about it.
func (h Health) Bad() bool {
	return h == Overdue || h == Never || h == Broken || h == Failed
}

// Standing is a line of the status. It is part of the interface (--json).
type Standing struct {
	Job    string `json:"job"`
	Kind   string `json:"kind,omitempty"`   // of its source
	Source string `json:"source"`           // with its kind
	Config string `json:"config,omitempty"` // file that has the job
	State  Health `json:"state"`
	// Last is the date of the newest backup that can be restored.
	Last      string     `json:"last,omitempty"`
	Committed *time.Time `json:"committed,omitempty"` // of that backup, UTC
	Type      string     `json:"type,omitempty"`
	Bytes     int64      `json:"bytes,omitempty"`
	Archives  int        `json:"archives"` // how many can be restored
	Oldest    string     `json:"oldest,omitempty"`
	Archive   string     `json:"archive,omitempty"` // NAME:RUN of the last
	// BucketBytes are those of all archives of the job in the bucket.
	BucketBytes int64  `json:"bucket_bytes"`
	Next        string `json:"next"` // date of the next due backup
	Reason      string `json:"reason,omitempty"`

	// What DiffDir tells; nil where it is not, or tells nothing.
	Attempt *state.Attempt `json:"attempt,omitempty"` // the last run; it runs if it neither ended nor failed
	Success *state.Attempt `json:"success,omitempty"` // the last good run
	Failing *time.Time     `json:"failing_since,omitempty"`
	Proof   *state.Proof   `json:"proof,omitempty"`

	judged bool // by what there is in the bucket
}

// Judged tells that the bucket has said what there is of the job.
func (s Standing) Judged() bool { return s.judged }

// Judge compares what there is with what the schedule asks for. A backup is
// overdue once its day is over; during the day it may still come. checked is a
// date on which there was nothing to store, or "".
func Judge(schedule slot.Schedule, today slot.Date, a catalog.Archives, checked string) Standing {
	s := Standing{Next: NextDue(schedule, today).String(), BucketBytes: a.Bytes, judged: true}
	points := a.Points()
	var last *catalog.RecoveryPoint // of the latest date
	for i := range points {
		p := &points[i]
		if p.Broken != nil {
			continue
		}
		s.Archives++
		if s.Oldest == "" || p.Date() < s.Oldest {
			s.Oldest = p.Date()
		}
		if last == nil || p.Date() >= last.Date() {
			last = p
		}
	}
	if last == nil {
		s.State, s.Reason = Never, "no archive can be restored"
		if len(points) > 0 {
			s.State, s.Reason = Broken, catalog.Newest(points).Broken.Error()
		}
		return s
	}
	committed := last.Committed.UTC()
	s.Last, s.Committed, s.Type, s.Bytes = last.Date(), &committed, string(last.Type()), last.Bytes
	s.Archive = last.Name + ":" + last.Run
	done := max(doneUntil(points), checked)
	if _, isDue := schedule.Slot(today); isDue && done >= today.String() {
		s.Next = NextDue(schedule, today.AddDays(1)).String() // today's is done
	}
	newest := catalog.Newest(points)
	missed, ok := due(schedule, today.AddDays(-1), -1)
	switch {
	case newest.Broken != nil:
		s.State, s.Reason = Broken, newest.Broken.Error()
	case ok && done < missed.String():
		s.State, s.Reason = Overdue, fmt.Sprintf("there is no backup of %s or later", missed)
	case s.Next == today.String():
		s.State = Due
	default:
		s.State = Healthy
	}
	return s
}

// doneUntil is the last day whose backup is there. One that bears a date later
// than the day after it was made stands for the day on which it was made.
func doneUntil(points []catalog.RecoveryPoint) string {
	done := ""
	for _, p := range points {
		if p.Broken != nil {
			continue
		}
		day := p.Date()
		if made := slot.Today(p.Began().Local()); !p.Began().IsZero() && day > made.AddDays(1).String() {
			day = made.String()
		}
		done = max(done, day)
	}
	return done
}

// maxDays bounds the search for a due day. It is more than any Frequency.
const maxDays = 1_000_001

// NextDue is the first due day from a day on.
func NextDue(schedule slot.Schedule, from slot.Date) slot.Date {
	if next, ok := due(schedule, from, 1); ok {
		return next
	}
	return from
}

// due is the nearest due day from a day on, forwards (1) or backwards (-1).
func due(schedule slot.Schedule, from slot.Date, way int64) (slot.Date, bool) {
	for i := int64(0); i < maxDays; i++ {
		if _, is := schedule.Slot(from.AddDays(i * way)); is {
			return from.AddDays(i * way), true
		}
	}
	return slot.Date{}, false
}

// CheckedOn returns the date on which nothing new was found since the newest of a
// job's archives, as its state tells, or "": no archive is stored then, and none is
// missing.
func CheckedOn(record state.Record, a catalog.Archives) string {
	if len(a.All) == 0 || record.Checked == nil || record.Current == nil {
		return ""
	}
	newest := a.All[len(a.All)-1]
	if record.Current.Run != newest.Run || record.Current.Name != newest.Name {
		return ""
	}
	return record.Checked.String()
}
