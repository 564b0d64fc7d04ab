package backup

import (
	"context"
	"time"

	"napback/internal/slot"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/tools"
)

// DateBy is the day by a store's clock, if that and the host's cannot both be right.
// clock is zero if it is not known.
func DateBy(day decide.Day, host, clock time.Time) decide.Day {
	if !day.Dated && !clock.IsZero() && host.Sub(clock).Abs() > decide.MaxSkew {
		day.Today = slot.Today(clock.Local())
	}
	return day
}

// Clocks are the clocks of stores that were asked for them.
type Clocks map[string]time.Time

// Day returns the day by which the job's schedule goes. A job that is not due by this
// host's clock may be by the store's: a clock that is wrong must not keep it from its
// backups. A store is asked once, and that it does not answer is no error, as nothing
// is to be stored.
func (c Clocks) Day(ctx context.Context, h Host, job *config.Job, day decide.Day) decide.Day {
	if _, due := job.Settings.Schedule.Slot(day.Today); due || day.Force || day.Dated {
		return day
	}
	store := tools.Open(h.Kit, &job.Settings, func(string, string) {})
	if _, asked := c[store.Access()]; !asked {
		l, _ := store.List(ctx, job.Name+"-clock-") // a prefix of nothing
		c[store.Access()] = l.Time
	}
	return DateBy(day, h.Now(), c[store.Access()])
}
