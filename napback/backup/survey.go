package backup

import (
	"context"
	"fmt"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

// Survey is what is known of a job before anything is decided: its state here, and
// what the bucket holds. It is made by these steps, and changes nothing:
//
//  1. The state of this store and source is read. Another store, or another
//     source under the same name, is another state.
//  2. The bucket is listed, with the store's clock. Credentials that must not
//     list leave the local state to decide.
//  3. If the store's clock and the host's differ by more than a day, one of them
//     is wrong, and the date is the store's.
//  4. A job without state takes over that of an earlier version, if its run is in
//     this bucket, or the archives that it has stored before it lost its state
//     (decide.Identity.Adoptable).
//  5. A pending state is settled: promoted if its run is there and whole.
type Survey struct {
	State    *state.Job
	Contents *catalog.Contents
	Record   state.Record
	Self     decide.Identity
	// Day is the day of the host, or of the store's clock.
	decide.Day
	Now time.Time // by the store's clock, if it is known
	// Legacy tells that Record is that of an earlier version.
	Legacy bool
	// Rival is another configuration that has stored here last, "" if none has.
	Rival string
	// Adopted tells that the job has just gone on as another state's owner by itself.
	// Whether that one is still alive shows only the next time.
	Adopted bool
	// Changed tells that Record is not the one on disk.
	Changed bool
	// Notes are for people, Warnings more than that.
	Notes, Warnings []string
}

// Survey does steps 1 to 5.
func (h Host) Survey(ctx context.Context, job *config.Job, dir *state.Dir, day decide.Day) (*Survey, error) {
	c, err := h.Store(job).Contents(ctx, job.Name)
	if err != nil {
		return nil, err
	}
	return h.SurveyOf(ctx, job, dir, day, c)
}

// SurveyOf is Survey with what the bucket holds.
func (h Host) SurveyOf(ctx context.Context, job *config.Job, dir *state.Dir, day decide.Day, c *catalog.Contents) (*Survey, error) {
	s := &Survey{State: h.State(dir, job), Contents: c, Day: day}
	if c.ListDenied {
		s.note("the credentials do not allow to list the bucket: relying on the local state")
	}
	s.setClock(h.Now())
	record, err := s.State.Load()
	if err != nil {
		s.warn("%v: going on without it", err)
	}
	s.Record = record
	s.meetRival(job)
	s.identify(h.Name, job, dir)
	if s.Record.Empty() {
		if err := s.takeOver(job); err != nil {
			s.warn("%v: going on without it", err)
		}
	}
	return s, s.settle(ctx, h.Store(job))
}

func (s *Survey) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

func (s *Survey) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

// setClock does step 3. A date that was given on the command line stays.
func (s *Survey) setClock(host time.Time) {
	s.Now = host
	if s.Contents.Time.IsZero() {
		return
	}
	s.Now = s.Contents.Time
	s.Day = DateBy(s.Day, host, s.Now)
	if host.Sub(s.Now).Abs() > decide.MaxSkew {
		s.warn("this host's clock says %s, the store's %s: one of them is wrong; the date and the run are taken from the store's",
			host.UTC().Format(time.RFC3339), s.Now.UTC().Format(time.RFC3339))
	}
}

// meetRival looks whether another configuration backs up the same source under the
// same name, with other excludes or another schedule perhaps: what it has done and
// no longer needs says nothing of this one's.
func (s *Survey) meetRival(job *config.Job) {
	if s.Record.Config == "" || job.Config == "" || s.Record.Config == job.Config {
		return
	}
	s.Rival = s.Record.Config
	s.warn("the last archive of this source and name was made by the configuration %q: give one of the two a Name of its own; "+
		"until then nothing is retired. If the file was moved this is said once", s.Rival)
}

// identify finds out who the job is.
func (s *Survey) identify(host string, job *config.Job, dir *state.Dir) {
	s.Self = decide.Identity{Owner: s.Record.Owner, Host: host, Source: job.String(), Machine: machineHash(machineFile)}
	if s.Self.Owner != "" {
		return
	}
	owner, err := dir.Owner()
	if err != nil {
		s.warn("%v: a new one will be made", err)
	}
	s.Self.Owner = owner
}

// takeOver does step 4.
func (s *Survey) takeOver(job *config.Job) error {
	old, found, err := s.State.Legacy()
	if s.Contents.ListDenied {
		if found {
			s.note("the state of an earlier version is left out: whether it belongs to this bucket cannot be seen")
		}
		return err
	}
	if found {
		if s.belongs(old) {
			s.note("the state of an earlier version is taken over")
			old.Format, old.Owner, old.Runs = s.Record.Format, "", nil
			old.Endpoint, old.Bucket, old.Source = s.Record.Endpoint, s.Record.Bucket, s.Record.Source
			for _, p := range []*state.Point{old.Previous, old.Current} {
				if p != nil {
					old.Runs = append(old.Runs, p.Stored())
				}
			}
			s.Record, s.Legacy, s.Changed = old, true, true
		} else {
			s.note("the state of an earlier version is left out: its run is not in this bucket, or of another source")
		}
	}
	if a, ok := s.Self.Adoptable(s.Contents.Runs, job.Settings.Schedule, s.Now); ok && !s.Legacy {
		s.note("going on as owner %s, which has stored %s of this job from host %s: the state here was lost, or is new", a.Owner, cli.Plural(len(a.Runs), "archive", "archives"), a.Host)
		s.Record, s.Changed, s.Adopted = decide.Adopt(s.Record, a), true, true
		s.Self.Owner = a.Owner
	}
	var ownerless []catalog.Entry
	for _, r := range s.Contents.Runs {
		if r.IsArchive() && r.Owner == "" && s.Self.IsOurs(r, &s.Record) {
			ownerless = append(ownerless, r)
		}
	}
	if len(ownerless) > 0 {
		s.Record, s.Changed = decide.AdoptRuns(s.Record, ownerless), true
	}
	return err
}

// belongs tells whether a record of an earlier version is about archives in this
// bucket, of this source.
func (s *Survey) belongs(old state.Record) bool {
	points := []*state.Point{old.Current}
	if old.Pending != nil {
		points = append(points, old.Pending.Current)
	}
	for _, p := range points {
		if p == nil {
			continue
		}
		r, why := s.Contents.Find(p.Name, p.Run)
		if why == "" && (r.Denied || r.Source() == s.Self.Source) {
			return true
		}
	}
	return false
}

// settle does step 5.
func (s *Survey) settle(ctx context.Context, store tools.Store) error {
	p := s.Record.Pending
	if p == nil {
		return nil
	}
	if p.Current != nil {
		if r, why := s.Contents.Find(p.Current.Name, p.Current.Run); why == "" && !s.Contents.ListDenied {
			if _, err := store.Count(ctx, s.Contents, []catalog.Entry{r}); err != nil {
				return err
			}
		}
	}
	var said string
	s.Record, said = decide.Settle(s.Record, s.Contents)
	s.Changed = true
	s.note("%s", said)
	return nil
}

// Planner returns what decides on the survey. hash stands for what selects the files
// of the job's source, and for its schedule.
func (s *Survey) Planner(job *config.Job, hash string) *decide.Planner {
	return &decide.Planner{Job: job.Name, Schedule: job.Settings.Schedule, Self: s.Self, Day: s.Day, Rival: s.Rival != "", Hash: hash,
		Now: s.Now, Record: s.Record, Contents: s.Contents}
}

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
