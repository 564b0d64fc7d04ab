package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// NewFile creates an empty file of a unique name for a run to work on. It is the
// caller's to remove; Clean removes what is forgotten.
func (j *Job) NewFile() (*os.File, error) {
	f, err := os.CreateTemp(j.dir, j.base+"@new-*"+extension)
	if err != nil {
		return nil, fmt.Errorf("create snapshot for %q: %w", j.key.Name, err)
	}
	return f, nil
}

// Keep makes the file that a run worked on the snapshot of that run, durable,
// and returns what a Point says of it: its name and its sum.
func (j *Job) Keep(work, run string) (name, sum string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep snapshot of %q: %w", j.key.Name, err)
		}
	}()
	f, err := os.OpenFile(work, os.O_RDWR, 0) // some systems sync only what can be written
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", "", err
	}
	if err := f.Chmod(0o600); err != nil {
		return "", "", err
	}
	if err := f.Sync(); err != nil {
		return "", "", err
	}
	name = j.base + "@" + escape(run) + extension
	if err := os.Rename(work, filepath.Join(j.dir, name)); err != nil {
		return "", "", err
	}
	return name, hex.EncodeToString(h.Sum(nil)), syncDir(j.dir)
}

// OpenSnapshot opens the snapshot of a point after it has checked that it is
// the one that was kept.
func (j *Job) OpenSnapshot(p *Point) (*os.File, error) {
	if p.Snapshot == "" || p.Snapshot != filepath.Base(p.Snapshot) {
		return nil, fmt.Errorf("snapshot of run %s: none is known", p.Run)
	}
	f, err := os.Open(filepath.Join(j.dir, p.Snapshot))
	if err != nil {
		return nil, fmt.Errorf("snapshot of run %s: %w", p.Run, err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err == nil && hex.EncodeToString(h.Sum(nil)) != p.Sum {
		err = errors.New("it is damaged")
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("snapshot %q: %w", f.Name(), err)
	}
	return f, nil
}

// Clean removes the job's files that r does not name.
func (j *Job) Clean(r Record) error {
	keep := map[string]bool{}
	for _, p := range r.points() {
		keep[p.Snapshot] = true
	}
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return fmt.Errorf("clean up state of %q: %w", j.key.Name, err)
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		ours := strings.HasPrefix(name, j.base+"@") && strings.HasSuffix(name, extension)
		if ours && !keep[name] {
			errs = append(errs, os.Remove(filepath.Join(j.dir, name)))
		}
	}
	return errors.Join(errs...)
}

// Paths returns where the snapshot of a point is, "" for no point, and a name for
// a copy that a person works on by hand; Clean removes that.
func (j *Job) Paths(p *Point) (kept, work string) {
	if p != nil {
		kept = filepath.Join(j.dir, p.Snapshot)
	}
	return kept, j.path("@new-by-hand" + extension)
}
