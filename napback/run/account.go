package run

import (
	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/notify"
	"napback/napback/state"
	"napback/napback/tools"
)

// maxReason bounds what an account keeps of a reason, in bytes.
const maxReason = 1000

// note changes a job's account. That it cannot is a warning: it never fails a backup.
// Without a DiffDir the job itself fails, and says so.
func (r *Run) note(log tools.Log, job *config.Job, change func(*state.Job) error) {
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil {
		return
	}
	if err := change(dir.Job(tools.StateKey(job, r.Host.Kit.Env))); err != nil {
		log.Warnf("%v", err)
	}
}

// begins notes, once, that there is something to do. So a SIGKILL or the loss of power
// leaves an attempt without an end.
func (j *jobRun) begins() {
	if j.began {
		return
	}
	j.began = true
	j.run.note(j.log, j.job, func(s *state.Job) error { return s.Began(j.run.id, j.started, j.day.Today) })
}

// ended notes how it has ended.
func (j *jobRun) ended(r *result) {
	j.run.note(j.log, j.job, func(s *state.Job) error { return s.Ended(j.attempted(r)) })
}

// mended notes that the day is done of a job whose last attempt failed: it was killed
// after the commit, or nobody has heard of it. That an earlier day is done tells nothing
// of the one that failed.
func (j *jobRun) mended(r *result) {
	j.run.note(j.log, j.job, func(s *state.Job) error {
		a, err := s.Account()
		if err != nil || a.Attempt == nil || !a.Attempt.Failed {
			return err
		}
		end := j.attempted(r)
		if of := a.Attempt.Day; of != nil && end.Day.Sub(*of) < 0 {
			return nil
		}
		if end.Date == nil {
			end.Date = &j.day.Today
		}
		if a.Success != nil && a.Success.Date != nil && *a.Success.Date == *end.Date {
			end.Archive, end.Type, end.Read, end.Stored = a.Success.Archive, a.Success.Type, a.Success.Read, a.Success.Stored
		}
		return s.Ended(end)
	})
}

// attempted is what an account keeps of a result.
func (j *jobRun) attempted(r *result) state.Attempt {
	now := j.run.Host.Now().UTC()
	a := state.Attempt{
		Run: j.run.id, Began: j.started.UTC(), Ended: &now,
		Outcome: string(r.Outcome), Failed: r.ending() == notify.Failed, Reason: r.Note,
	}
	if a.Reason == "" && r.err != nil {
		a.Reason = cli.FirstLine(r.err.Error())
	}
	a.Reason = cli.Shorten(j.run.redact.String(a.Reason), maxReason)
	if r.Archive != "" {
		a.Archive, a.Read, a.Stored = r.Archive+":"+r.Result.Run, r.Read, r.Stored.Bytes
		a.Type = j.backup.Decision().Kind
	}
	day := j.day.Today
	if j.backup != nil && j.backup.Survey != nil { // else it did not come so far
		day = j.backup.Today
	}
	a.Day = &day
	if !a.Failed && j.backup != nil {
		a.Date = &day
	}
	return a
}

// notStarted notes that a due job was not even begun. Of what was done today nobody
// misses anything, as far as its account tells.
func (j *jobRun) notStarted(r *result) {
	j.run.note(j.log, j.job, func(s *state.Job) error {
		a, err := s.Account()
		if err == nil && a.Failing == nil && a.Success != nil && a.Success.Date != nil && *a.Success.Date == j.day.Today && !j.day.Force {
			return nil
		}
		return s.Ended(j.attempted(r))
	})
}

// refused notes that no job of a configuration could be started. The DiffDir is
// locked by us.
func (r *Run) refused(c *config.Config, err error) {
	for i := range c.Jobs {
		if _, due := c.Jobs[i].Settings.Schedule.Slot(r.Day.Today); !due && !r.Day.Force {
			continue
		}
		all, _, _ := jobs.Members(c, &c.Jobs[i])
		if c.Jobs[i].Kind.Members != nil {
			all = append(all, c.Jobs[i])
		}
		for k := range all {
			j := &jobRun{run: r, day: r.Day, log: r.log.Of(&all[k]), job: &all[k], started: r.Host.Now()}
			j.ended(&result{Result: backup.Result{Outcome: failed}, err: err})
		}
	}
}

// refusedWithoutLock is refused for a run that has no lock: where another one has it,
// that one's accounts hold.
func (r *Run) refusedWithoutLock(c *config.Config, err error) {
	dir, openErr := state.Open(c.Settings.DiffDir)
	if openErr != nil || len(c.Jobs) == 0 {
		return
	}
	release, ok, lockErr := dir.Lock()
	if lockErr != nil || !ok {
		return
	}
	defer release()
	r.refused(c, err)
}
