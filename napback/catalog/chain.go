package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
)

// RecoveryPoint is an archive and the chain that brings back the state that it stored.
type RecoveryPoint struct {
	Entry
	// Chain is the FULL and the DIFFs up to this archive, oldest first.
	Chain []Entry
	// Broken says why there is no such chain; nil if there is.
	Broken error
}

// Points follows every archive back to its FULL. They are in the order of the
// archives, oldest first.
func (a Archives) Points() []RecoveryPoint {
	byRun := map[string]Entry{}
	for _, e := range a.All {
		byRun[e.Run] = e
	}
	points := make([]RecoveryPoint, len(a.All))
	for i, e := range a.All {
		points[i].Entry = e
		points[i].Chain, points[i].Broken = a.follow(e, byRun)
	}
	return points
}

// Newest returns the newest of some points, of which there is at least one.
func Newest(points []RecoveryPoint) RecoveryPoint {
	return points[Moment{}.pick(points, func(RecoveryPoint) bool { return true })]
}

// Walk follows an archive back through those that it builds on, and returns them all,
// the newest first. parent returns what e builds on; ok is false where there is
// nothing. A walk over more than limit archives is one in a circle.
func Walk(last Entry, limit int, parent func(e Entry) (on Entry, ok bool, err error)) ([]Entry, error) {
	chain := []Entry{last}
	for {
		e := chain[len(chain)-1]
		on, ok, err := parent(e)
		switch {
		case err != nil || !ok:
			return chain, err
		case len(chain) > limit:
			return chain, foreignf("%s of run %s builds on itself", e.Name, e.Run)
		}
		chain = append(chain, on)
	}
}

// follow returns the chain that ends with an archive, oldest first.
func (a Archives) follow(last Entry, byRun map[string]Entry) ([]Entry, error) {
	chain, err := Walk(last, len(a.All), func(e Entry) (on Entry, ok bool, err error) {
		switch e.Type() {
		case slot.Full:
			return on, false, nil
		case slot.Diff:
			if on, ok = byRun[e.Parent()]; !ok {
				err = a.missing(e)
			}
			return on, ok, err
		}
		return on, false, foreignf("%s of run %s has the type %q, neither FULL nor DIFF", e.Name, e.Run, e.Type())
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(chain)
	// A FULL may leave out that it is the FULL of its chain.
	if full := last.Meta["chain"]; full != chain[0].Run && (full != "" || len(chain) > 1) {
		return nil, foreignf("%s of run %s belongs to the FULL of run %s, but its parents lead to run %s", last.Name, last.Run, full, chain[0].Run)
	}
	return chain, nil
}

// missing describes the link that an archive has lost.
func (a Archives) missing(e Entry) error {
	for _, u := range a.Unreadable {
		if u.Run == e.Parent() {
			return foreignf("%s of %s builds on %s, run %s, whose manifest cannot be read: %s", e.Name, e.Date(), u.Name, u.Run, u.Error)
		}
	}
	return foreignf("%s of %s builds on run %s, which is not in the bucket any more", e.Name, e.Date(), e.Parent())
}

// At returns the newest point that is not after a moment. Its errors have the
// code cli.NotFound and name the nearest date that can be restored.
func (a Archives) At(m Moment) (RecoveryPoint, error) {
	points := a.Points()
	if len(points) == 0 {
		err := cli.Errorf(cli.NotFound, "job %q has no archives", a.Job)
		if len(a.Unreadable) > 0 {
			err = cli.WithHint(err, "what is there has a manifest that cannot be read: %s", cli.Safe(a.Unreadable[0].Error))
		}
		return RecoveryPoint{}, err
	}
	i := m.pick(points, func(RecoveryPoint) bool { return true })
	if i < 0 {
		err := cli.Errorf(cli.NotFound, "job %q has no archive %s", a.Job, m)
		return RecoveryPoint{}, a.nearest(err, m, points)
	}
	if broken := points[i].Broken; broken != nil {
		err := cli.Errorf(cli.NotFound, "job %q cannot be restored %s: %w", a.Job, m, broken)
		return RecoveryPoint{}, a.nearest(err, m, points)
	}
	return points[i], nil
}

// Turn returns the point whose turn it is on a day: each day's is the one after that
// of the day before, by age among those that can be restored. So every age has its
// turn where it is asked for every day.
func (a Archives) Turn(today slot.Date) (RecoveryPoint, error) {
	points := slices.DeleteFunc(a.Points(), func(p RecoveryPoint) bool { return p.Broken != nil })
	if len(points) == 0 {
		return a.At(Moment{}) // which tells why
	}
	n := int64(len(points))
	return points[((today.Day()%n)+n)%n], nil
}

// nearest adds to err what can be restored instead: the newest whole chain
// before the moment, else the oldest of all.
func (a Archives) nearest(err error, m Moment, points []RecoveryPoint) error {
	whole := func(p RecoveryPoint) bool { return p.Broken == nil }
	i := m.pick(points, whole)
	if i < 0 {
		i = slices.IndexFunc(points, whole)
	}
	if i < 0 {
		return cli.WithHint(err, "no archive of the job can be restored: each lacks a link of its chain")
	}
	p := points[i]
	// The day's own backup may have been followed by one that is broken.
	at := p.Date()
	if j := (Moment{date: at}).pick(points, func(RecoveryPoint) bool { return true }); j != i {
		at = p.Committed.UTC().Format("2006-01-02T15:04:05Z")
	}
	return cli.WithHint(err, "the nearest that can be restored is of %s: --at %s", cli.Safe(p.Date()), cli.Safe(at))
}

// Warning says what of the listing makes a choice doubtful, or "".
func (a Archives) Warning(chosen RecoveryPoint) string {
	var all []string
	for _, o := range a.Others {
		all = append(all, fmt.Sprintf("archives of the name %q are also those of %s: only those of %s are used", a.Job, o, a.Group))
	}
	for _, u := range a.Unreadable {
		if u.Run > chosen.Run {
			all = append(all, fmt.Sprintf("%s of run %s is newer, but its manifest cannot be read: %s", u.Name, u.Run, u.Error))
		}
	}
	unsigned := 0
	for _, u := range a.Doubtful {
		if u.State == Unsigned {
			unsigned++
			continue
		}
		all = append(all, fmt.Sprintf("%s of run %s is left out: %s", u.Name, u.Run, cmp.Or(u.Error, u.State)))
	}
	if unsigned > 0 {
		all = append(all, fmt.Sprintf("runs that are not signed by a wanted key are left out: %d", unsigned))
	}
	return cli.Safe(strings.Join(all, "; "))
}

// foreignf is an error that tells what a manifest says.
func foreignf(format string, args ...any) error {
	return errors.New(cli.Safe(fmt.Sprintf(format, args...)))
}

// errNoMoment is for texts that are neither a date nor a time.
var errNoMoment = errors.New("want a date (2026-11-20) or a time (2026-11-20 03:15, or RFC 3339)")
