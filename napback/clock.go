package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"napback/internal/slot"
	"napback/napback/config"
)

// maxSkew is how far the clocks of a host and of a store may differ. Beyond it one
// of them is wrong, and the store's counts.
const maxSkew = 24 * time.Hour

// dateBy is today by the store's clock, if that and the host's cannot both be
// right.
func (e *engine) dateBy(clock time.Time) slot.Date {
	if e.dated || clock.IsZero() || e.now().Sub(clock).Abs() <= maxSkew {
		return e.today
	}
	return slot.Today(clock.Local())
}

// onTime returns the engine with the date by which the job's schedule goes. A job
// that is not due by this host's clock may be by the store's: a clock that is wrong
// must not keep it from its backups. The store is asked once a run, and that it
// does not answer is no error, as nothing is to be stored.
func (e *engine) onTime(ctx context.Context, job *config.Job) *engine {
	if _, due := job.Settings.Schedule.Slot(e.today); due || e.force || e.dated {
		return e
	}
	store := fmt.Sprintf("%q", append(storeFlags(&job.Settings), job.Settings.Bucket))
	if _, asked := e.clocks[store]; !asked {
		quiet := *e
		quiet.log = newJournal(io.Discard, false)
		l, _ := quiet.listing(ctx, &job.Settings, job.Name+"-clock-") // a prefix of nothing
		e.clocks[store] = l.Time
	}
	own := *e
	own.today = e.dateBy(e.clocks[store])
	return &own
}
