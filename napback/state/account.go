package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"napback/internal/slot"
)

// Account is what is remembered of a job's runs beside what its archives tell: how
// the last one went, also if it stored nothing, and what a drill has proved. It is
// for people and their monitoring; no backup decides by it.
type Account struct {
	Format   string `json:"format"`
	Job      string `json:"job"`
	Endpoint string `json:"endpoint,omitempty"` // as in Key
	Bucket   string `json:"bucket"`
	Source   string `json:"source"`
	// Attempt is the last run that was to back up, nil if there was none since
	// accounts are kept. It is the last that was written, whatever its clock said.
	Attempt *Attempt `json:"attempt,omitempty"`
	// Success is the last one that succeeded.
	Success *Attempt `json:"success,omitempty"`
	// Failing is when the first of the attempts since then failed.
	Failing *time.Time `json:"failing,omitempty"`
	// Proof is the last restore that was made to prove that it can be done.
	Proof *Proof `json:"proof,omitempty"`

	// Unusable is why the account that is there cannot be used, nil if it can.
	Unusable error `json:"-"`
}

// Attempt is one run of a job that was due. Times are UTC.
type Attempt struct {
	Run   string    `json:"run"` // of napback
	Began time.Time `json:"began"`
	// Ended is nil while the run goes on, and for ever if it was killed. Failed tells
	// the two apart as soon as another process has had the lock (Bury).
	Ended   *time.Time `json:"ended,omitempty"`
	Outcome string     `json:"outcome,omitempty"` // as the summary has it
	Failed  bool       `json:"failed,omitempty"`
	// Reason is why it failed, or a line about what was warned of.
	Reason string `json:"reason,omitempty"`
	// Day is the one that the backup was to be of, also if it failed; nil in accounts of
	// earlier versions.
	Day *slot.Date `json:"day,omitempty"`
	// Date is that of the backup; nil if it failed.
	Date *slot.Date `json:"date,omitempty"`
	// Of what was stored; empty if nothing was.
	Archive string    `json:"archive,omitempty"` // NAME:RUN
	Type    slot.Type `json:"type,omitempty"`
	Read    int64     `json:"read_bytes"`
	Stored  int64     `json:"stored_bytes"`
}

// At is when it ended, or began if it has no end.
func (a Attempt) At() time.Time {
	if a.Ended != nil {
		return *a.Ended
	}
	return a.Began
}

// Proof is a restore that was made to prove that it can be done, and what of it was
// compared with the source.
type Proof struct {
	At      time.Time `json:"at"`      // when, UTC
	Archive string    `json:"archive"` // NAME:RUN that was restored
	Date    string    `json:"date"`    // of that archive
	Failed  bool      `json:"failed,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	// Proved says in words what was done, as in "restored 512 files, 498 compared".
	Proved  string  `json:"proved,omitempty"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

const (
	accountFormat    = "napback-account/1"
	accountExtension = ".account" + extension
	accountLock      = "accounts" + extension // no job's file: these have a +
	// changeTime is far longer than a change of an account takes.
	changeTime = 10 * time.Second
	// maxAccount bounds what is read of an account, in bytes.
	maxAccount = 1 << 20
)

// Account reads what is remembered of the job's runs; of a job without any it is
// empty. An error tells that there is one which cannot be used.
func (j *Job) Account() (Account, error) {
	empty := Account{Format: accountFormat, Job: j.key.Name, Endpoint: j.key.Endpoint, Bucket: j.key.Bucket, Source: j.key.Source}
	path := j.path(accountExtension)
	a, err := readAccount(path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, err
	}
	if (Key{a.Job, a.Endpoint, a.Bucket, a.Source}) != j.key {
		return empty, fmt.Errorf("read account %q: it is of job %q, %q in bucket %q", path, a.Job, a.Source, a.Bucket)
	}
	return a, nil
}

// readAccount reads any job's.
func readAccount(path string) (a Account, err error) {
	data, err := readFile(path, maxAccount)
	switch {
	case err == nil && data == nil:
		return a, fs.ErrNotExist
	case err == nil:
		err = json.Unmarshal(data, &a)
	}
	if err == nil && a.Format != accountFormat {
		err = fmt.Errorf("it is of format %q", a.Format)
	}
	if err != nil {
		return Account{}, fmt.Errorf("read account %q: %w", path, err)
	}
	return a, nil
}

// Began notes that a run begins. One that is killed then leaves an attempt without
// an end.
func (j *Job) Began(run string, now time.Time, day slot.Date) error {
	return j.note(func(a *Account) { a.Attempt = &Attempt{Run: run, Began: now.UTC(), Day: &day} })
}

// Killed is the outcome of an attempt that nobody has ended.
const Killed = "killed"

// Bury tells that nobody is going to end the attempt that has no end.
func (a *Account) Bury() (changed bool) {
	if a.Attempt == nil || a.Attempt.Ended != nil || a.Attempt.Failed {
		return false
	}
	a.Attempt.Failed, a.Attempt.Outcome, a.Attempt.Reason = true, Killed, "was killed, or the machine went down"
	if a.Failing == nil {
		a.Failing = &a.Attempt.Began
	}
	return true
}

// buryAll notes it of all jobs. Who gets the lock of DiffDir does: what has no end
// after that runs.
func (d *Dir) buryAll() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("DiffDir %q: %w", d.path, cause(err))
	}
	var errs []error
	for _, e := range entries {
		path := filepath.Join(d.path, e.Name())
		if !e.Type().IsRegular() || !strings.HasSuffix(path, accountExtension) {
			continue
		}
		a, err := readAccount(path)
		if err != nil {
			continue // its job tells of it
		}
		j := d.Job(Key{a.Job, a.Endpoint, a.Bucket, a.Source})
		if j.path(accountExtension) == path && a.Bury() {
			errs = append(errs, j.save(a))
		}
	}
	return errors.Join(errs...)
}

// Ended notes how a run has ended.
func (j *Job) Ended(end Attempt) error {
	return j.note(func(a *Account) {
		a.Attempt = &end
		switch {
		case !end.Failed:
			a.Success, a.Failing = &end, nil
		case a.Failing == nil:
			a.Failing = &end.Began
		}
	})
}

// Proved notes a drill.
func (j *Job) Proved(p Proof) error {
	return j.note(func(a *Account) { a.Proof = &p })
}

// note changes the account. One that cannot be read begins anew: it must never keep
// a job from telling how it is now.
func (j *Job) note(change func(*Account)) error {
	release, err := j.lockAccounts()
	if err != nil {
		return fmt.Errorf("note in DiffDir how job %q went: %w", j.key.Name, cause(err))
	}
	defer release()
	a, _ := j.Account()
	change(&a)
	return j.save(a)
}

// lockAccounts keeps changes of accounts apart: a drill does not wait for a run.
func (j *Job) lockAccounts() (release func(), err error) {
	path := filepath.Join(j.dir, accountLock)
	if err := regular(path); err != nil {
		return nil, err
	}
	l := flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow))
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	_, err = l.TryLockContext(ctx, changeTime/1000)
	return func() { _ = l.Close() }, err
}

func (j *Job) save(a Account) error {
	data, err := json.MarshalIndent(a, "", "  ")
	if err == nil {
		err = writeDurably(j.path(accountExtension), append(data, '\n'), os.Rename)
	}
	if err != nil {
		return fmt.Errorf("note in DiffDir how job %q went: %w", j.key.Name, cause(err))
	}
	return nil
}
