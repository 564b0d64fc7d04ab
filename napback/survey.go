package main

import (
	"context"
	"fmt"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
)

// survey is what is known of a job before anything is decided: its state here, and
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
//     (self.adoptable).
//  5. A pending state is settled: promoted if its run is there and whole.
type survey struct {
	state  *state.Job
	held   *holdings
	record state.Record
	self   self
	// legacy tells that record is that of an earlier version.
	legacy bool
	// rival is another configuration that has stored here last, "" if none has.
	rival string
	// adopted tells that the job has just gone on as another state's owner by itself.
	// Whether that one is still alive shows only the next time.
	adopted bool
	// changed tells that record is not the one on disk.
	changed bool
	// notes are for people, warnings more than that.
	notes, warnings []string
	now             time.Time // by the store's clock, if it is known
	today           slot.Date
}

// survey does steps 1 to 5.
func (e *engine) survey(ctx context.Context, job *config.Job, dir *state.Dir) (*survey, error) {
	h, err := look(e.kit, ctx, job, stageLines(e.log, nil))
	if err != nil {
		return nil, err
	}
	return e.surveyOf(ctx, job, dir, h)
}

// surveyOf is survey with what the bucket holds.
func (e *engine) surveyOf(ctx context.Context, job *config.Job, dir *state.Dir, h *holdings) (*survey, error) {
	s := &survey{state: dir.Job(e.keyOfState(job)), held: h}
	if h.blind {
		s.note("the credentials do not allow to list the bucket: relying on the local state")
	}
	s.setClock(e)
	record, err := s.state.Load()
	if err != nil {
		s.warn("%v: going on without it", err)
	}
	s.record = record
	s.meetRival(job)
	s.identify(e, job, dir)
	if s.record.Empty() {
		if err := s.takeOver(job); err != nil {
			s.warn("%v: going on without it", err)
		}
	}
	return s, s.settle(ctx, e, job)
}

func (s *survey) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (s *survey) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

// setClock does step 3. A date that was given on the command line stays.
func (s *survey) setClock(e *engine) {
	host := e.now()
	s.now, s.today = host, e.today
	if s.held.time.IsZero() {
		return
	}
	s.now = s.held.time
	if off := host.Sub(s.now).Abs(); off > maxSkew {
		if !e.dated {
			s.today = slot.Today(s.now.Local())
		}
		s.warn("this host's clock says %s, the store's %s: one of them is wrong; the date and the run are taken from the store's",
			host.UTC().Format(time.RFC3339), s.now.UTC().Format(time.RFC3339))
	}
}

// meetRival looks whether another configuration backs up the same source under the
// same name, with other excludes or another schedule perhaps: what it has done and
// no longer needs says nothing of this one's.
func (s *survey) meetRival(job *config.Job) {
	if s.record.Config == "" || job.Config == "" || s.record.Config == job.Config {
		return
	}
	s.rival = s.record.Config
	s.warn("the last archive of this source and name was made by the configuration %q: give one of the two a Name of its own; "+
		"until then nothing is retired. If the file was moved this is said once", s.rival)
}

// identify finds out who the job is.
func (s *survey) identify(e *engine, job *config.Job, dir *state.Dir) {
	s.self = self{owner: s.record.Owner, host: e.host, source: job.String(), machine: machineHash(machineFile)}
	if s.self.owner != "" {
		return
	}
	owner, err := dir.Owner()
	if err != nil {
		s.warn("%v: a new one will be made", err)
	}
	s.self.owner = owner
}

// takeOver does step 4.
func (s *survey) takeOver(job *config.Job) error {
	old, found, err := s.state.Legacy()
	if s.held.blind {
		if found {
			s.note("the state of an earlier version is left out: whether it belongs to this bucket cannot be seen")
		}
		return err
	}
	if found {
		if s.belongs(old) {
			s.note("the state of an earlier version is taken over")
			old.Format, old.Owner, old.Runs = s.record.Format, "", nil
			old.Endpoint, old.Bucket, old.Source = s.record.Endpoint, s.record.Bucket, s.record.Source
			for _, p := range []*state.Point{old.Previous, old.Current} {
				if p != nil {
					old.Runs = append(old.Runs, p.Stored())
				}
			}
			s.record, s.legacy, s.changed = old, true, true
		} else {
			s.note("the state of an earlier version is left out: its run is not in this bucket, or of another source")
		}
	}
	if a, ok := s.self.adoptable(s.held.runs, job.Settings.Schedule, s.now); ok && !s.legacy {
		s.note("going on as owner %s, which has stored %s of this job from host %s: the state here was lost, or is new", a.owner, plural(len(a.runs), "archive", "archives"), a.host)
		s.record, s.changed, s.adopted = adopt(s.record, a), true, true
		s.self.owner = a.owner
	}
	var ownerless []catalog.Entry
	for _, r := range s.held.runs {
		if r.IsArchive() && r.Owner == "" && s.self.kin(r, &s.record) == mine {
			ownerless = append(ownerless, r)
		}
	}
	if len(ownerless) > 0 {
		s.record, s.changed = adoptRuns(s.record, ownerless), true
	}
	return err
}

// belongs tells whether a record of an earlier version is about archives in this
// bucket, of this source.
func (s *survey) belongs(old state.Record) bool {
	points := []*state.Point{old.Current}
	if old.Pending != nil {
		points = append(points, old.Pending.Current)
	}
	for _, p := range points {
		if p == nil {
			continue
		}
		r, why := s.held.there(p.Name, p.Run)
		if why == "" && (r.Denied || r.Source() == s.self.source) {
			return true
		}
	}
	return false
}

// settle does step 5.
func (s *survey) settle(ctx context.Context, e *engine, job *config.Job) error {
	p := s.record.Pending
	if p == nil {
		return nil
	}
	if p.Current != nil {
		if r, why := s.held.there(p.Current.Name, p.Current.Run); why == "" && !s.held.blind {
			if _, err := count(e.kit, ctx, &job.Settings, s.held, []catalog.Entry{r}, stageLines(e.log, nil)); err != nil {
				return err
			}
		}
	}
	var said string
	s.record, said = reconcile(s.record, s.held)
	s.changed = true
	s.note("%s", said)
	return nil
}

// planner returns what decides on the survey.
func (s *survey) planner(e *engine, job *config.Job, hash string) *planner {
	return &planner{job: job, rival: s.rival != "", self: s.self, today: s.today, dated: e.dated, force: e.force, hash: hash,
		now: s.now, record: s.record, held: s.held}
}
