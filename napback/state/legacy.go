package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// legacyFormat had one record a job, ESC.napback, whatever the store.
const legacyFormat = "napback-state/1"

func (j *Job) legacyPath() string { return filepath.Join(j.dir, escape(j.key.Name)+extension) }

// Legacy returns the record that an earlier version has left for a job of this
// name; false if there is none. Whether it belongs to this store and source it
// does not tell.
func (j *Job) Legacy() (Record, bool, error) {
	var r Record
	found, err := readRecord(j.legacyPath(), &r)
	if err != nil || !found || r.Format != legacyFormat || r.Job != j.key.Name {
		return Record{}, false, err
	}
	return r, true, nil
}

// TakeOver makes a record of an earlier version this job's own. It gives the
// snapshots the job's names, saves the record, and only then removes what the
// earlier version has left: a crash in between leaves one of the two whole.
func (j *Job) TakeOver(r Record) (Record, error) {
	old := escape(j.key.Name) + "@"
	var left []string
	for _, p := range r.points() {
		if !strings.HasPrefix(p.Snapshot, old) || p.Snapshot != filepath.Base(p.Snapshot) {
			continue
		}
		name := j.base + "@" + strings.TrimPrefix(p.Snapshot, old)
		from := filepath.Join(j.dir, p.Snapshot)
		err := os.Link(from, filepath.Join(j.dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // it is lost, as the next backup will find
		case err != nil && !errors.Is(err, fs.ErrExist):
			err = os.Rename(from, filepath.Join(j.dir, name))
			if err != nil {
				return r, fmt.Errorf("take over state of %q: %w", j.key.Name, err)
			}
		}
		left = append(left, from)
		p.Snapshot = name
	}
	if err := j.Save(r); err != nil {
		return r, err
	}
	for _, path := range append(left, j.legacyPath()) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, fmt.Errorf("take over state of %q: %w", j.key.Name, err)
		}
	}
	return r, nil
}
