package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

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
	// Proof is the last restore that was made to prove that it can be done. It has a
	// file of its own, as a drill may run beside a backup.
	Proof *Proof `json:"-"`
}

// Attempt is one run of a job that was due. Times are UTC.
type Attempt struct {
	Run   string    `json:"run"` // of napback
	Began time.Time `json:"began"`
	// Ended is nil while the run goes on, and for ever if it was killed.
	Ended   *time.Time `json:"ended,omitempty"`
	Outcome string     `json:"outcome,omitempty"` // as the summary has it
	Failed  bool       `json:"failed,omitempty"`
	// Reason is why it failed, or a line about what was warned of.
	Reason string `json:"reason,omitempty"`
	// Of what was stored; all empty if nothing was.
	Archive string     `json:"archive,omitempty"` // NAME:RUN
	Type    slot.Type  `json:"type,omitempty"`
	Date    *slot.Date `json:"date,omitempty"`
	Read    int64      `json:"read_bytes"`
	Stored  int64      `json:"stored_bytes"`
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
	proofExtension   = ".proof" + extension
	// maxAccount bounds what is read of an account, in bytes.
	maxAccount = 1 << 20
)

// Account reads what is remembered of the job's runs; of a job without any it is
// empty. An error tells that there is some which cannot be used; the rest is there.
func (j *Job) Account() (Account, error) {
	a, err := j.runs()
	data, bad := readFile(j.path(proofExtension), maxAccount)
	if bad == nil && data != nil {
		bad = json.Unmarshal(data, &a.Proof)
	}
	if bad != nil {
		a.Proof, bad = nil, fmt.Errorf("read proof %q: %w", j.path(proofExtension), bad)
	}
	return a, errors.Join(err, bad)
}

// runs is the account without its proof.
func (j *Job) runs() (Account, error) {
	empty := Account{Format: accountFormat, Job: j.key.Name, Endpoint: j.key.Endpoint, Bucket: j.key.Bucket, Source: j.key.Source}
	path := j.path(accountExtension)
	data, err := readFile(path, maxAccount)
	if err != nil || data == nil {
		return empty, err
	}
	var a Account
	if err := json.Unmarshal(data, &a); err != nil {
		return empty, fmt.Errorf("read account %q: %w", path, err)
	}
	if a.Format != accountFormat || (Key{a.Job, a.Endpoint, a.Bucket, a.Source}) != j.key {
		return empty, fmt.Errorf("read account %q: it is of format %q for job %q, %q in bucket %q", path, a.Format, a.Job, a.Source, a.Bucket)
	}
	return a, nil
}

// Began notes that a run begins. One that is killed then leaves an attempt without
// an end.
func (j *Job) Began(run string, now time.Time) error {
	return j.note(func(a *Account) { a.Attempt = &Attempt{Run: run, Began: now.UTC()} })
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
func (j *Job) Proved(p Proof) error { return j.keep(proofExtension, p) }

// note changes the account. One that cannot be read begins anew: it must never keep
// a job from telling how it is now.
func (j *Job) note(change func(*Account)) error {
	a, _ := j.runs()
	change(&a)
	return j.keep(accountExtension, a)
}

func (j *Job) keep(suffix string, what any) error {
	data, err := json.MarshalIndent(what, "", "  ")
	if err == nil {
		err = writeDurably(j.path(suffix), append(data, '\n'), os.Rename)
	}
	if err != nil {
		return fmt.Errorf("note how %q went: %w", j.key.Name, err)
	}
	return nil
}
