package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
)

// Moment is what --at says: a local date, which means the whole day by the
// archives' own dates; a time, which means when they were committed; or
// nothing, which means now.
type Moment struct {
	date string
	time time.Time
}

// ParseMoment reads a date (2026-11-20), a time (2026-11-20 03:15, seconds
// optional, in loc) or an RFC 3339 time. "" is no moment: the newest. Errors
// have the code cli.Usage.
func ParseMoment(text string, loc *time.Location) (Moment, error) {
	if text == "" {
		return Moment{}, nil
	}
	if !strings.ContainsAny(text, ":T ") {
		d, err := slot.ParseDate(text)
		if err != nil {
			return Moment{}, cli.UsageErrorf("--at %q: %w", text, errNoMoment)
		}
		return Moment{date: d.String()}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return Moment{time: t}, nil
	}
	local := strings.Replace(text, "T", " ", 1)
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, local, loc); err == nil {
			return Moment{time: t}, nil
		}
	}
	return Moment{}, cli.UsageErrorf("--at %q: %w", text, errNoMoment)
}

// String completes "no archive ..." and "cannot be restored ...".
func (m Moment) String() string {
	switch {
	case m.date != "":
		return fmt.Sprintf("as of %s", m.date)
	case !m.time.IsZero():
		return fmt.Sprintf("as of %s", m.time.Format(time.RFC3339))
	}
	return "as of its newest archive"
}

// pick returns the index of the newest point that is not after the moment and
// satisfies ok, or -1. For a date the newest is that of the latest date, since
// a run can stand for an earlier day than the one that it ran on.
func (m Moment) pick(points []RecoveryPoint, ok func(RecoveryPoint) bool) int {
	best := -1
	for i, p := range points {
		switch {
		case !ok(p):
		case m.date != "" && (p.Date() == "" || p.Date() > m.date):
		case !m.time.IsZero() && (p.Committed.IsZero() || p.Committed.After(m.time)):
		case best < 0, m.newer(p, points[best]):
			best = i
		}
	}
	return best
}

// newer reports whether p comes after q. Points are in the order of their
// commits; but a clock may have been put back, and what builds on an archive is
// newer than it, whatever the clock says.
func (m Moment) newer(p, q RecoveryPoint) bool {
	if m.date != "" && p.Date() != q.Date() {
		return p.Date() > q.Date()
	}
	buildsOn := func(e Entry) bool { return e.Run == p.Run }
	return !slices.ContainsFunc(q.Chain, buildsOn)
}
