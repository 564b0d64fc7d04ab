// Package state keeps, in DiffDir, what napback has to know of a job's last
// archives to make the next increment.
//
// A job has one record (ESC.napback, JSON) and the snapshot files that it names
// (ESC@RUN.napback), where ESC is the job's archive name, escaped. The record
// tells three points: the current archive, the one before it, so that a day can
// be done again, and one that is pending, whose commit was asked for but never
// heard of. A snapshot file never changes once a record names it.
//
// Every step leaves the previous state whole until the next one is durable:
//
//  1. NewFile makes an empty file of a unique name for tar to work on.
//  2. Keep gives it its name, synced.
//  3. Save replaces the record, synced, and the rename is its commit.
//  4. Clean removes the job's files that its record does not name, which are
//     what killed runs and replaced archives have left.
//
// Only one process at a time may change a DiffDir: Lock. All files are readable
// by their owner alone, as names of files may be secret.
package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"napback/internal/slot"
	"napback/internal/trust"
)

// Point is a committed archive and the state of the source that it stored.
type Point struct {
	Name  string    `json:"name"` // of the archive
	Run   string    `json:"run"`
	Type  slot.Type `json:"type"`
	Slot  int64     `json:"slot"`
	Turn  int64     `json:"turn"`
	Cycle int64     `json:"cycle"`
	Date  slot.Date `json:"date"`
	Chain string    `json:"chain"` // run of its FULL
	// FullName is the archive name of that FULL, ParentName and Parent those of
	// the archive that it builds on; "" for a FULL.
	FullName   string `json:"full_name"`
	ParentName string `json:"parent_name,omitempty"`
	Parent     string `json:"parent,omitempty"`

	Hash      string   `json:"hash"`       // of the source and all that selects files
	FullBytes int64    `json:"full_bytes"` // read from the source for the last FULL
	Empty     bool     `json:"empty,omitempty"`
	Unread    []string `json:"unread,omitempty"`     // names that tar could not read, as it escapes them
	UnreadAll bool     `json:"unread_all,omitempty"` // and more, whose names are not known

	// Of a Directory: what tells that the next run finds the same one. Names are
	// escaped as tar does it.
	Real    string            `json:"real,omitempty"`    // its path without symbolic links
	Systems map[string]string `json:"systems,omitempty"` // what identifies its file systems, by their highest directories
	Points  map[string]string `json:"points,omitempty"`  // what is mounted inside, by mount point
	Newest  []Seen            `json:"newest,omitempty"`  // files that had changed last

	// Of a Subversion repository: its UUID, the last revision that is stored
	// and when that was made.
	UUID         string `json:"uuid,omitempty"`
	Revision     int64  `json:"revision,omitempty"`
	RevisionDate string `json:"revision_date,omitempty"`

	Snapshot string `json:"snapshot,omitempty"` // file in DiffDir
	Sum      string `json:"sum,omitempty"`      // SHA-256 of that file
}

// Seen is a file as it was met.
type Seen struct {
	Name    string    `json:"name"`
	Inode   uint64    `json:"inode"`
	Changed time.Time `json:"changed"` // its ctime
}

// Record is all that is kept of a job.
type Record struct {
	Format   string `json:"format"`
	Job      string `json:"job"`
	Current  *Point `json:"current,omitempty"`
	Previous *Point `json:"previous,omitempty"` // the state that Current was made from, if any
	// Pending is what Current and Previous become if the run of its Current
	// turns out to be committed.
	Pending *Pending `json:"pending,omitempty"`
	// Checked is the last date on which nothing was new since Current, so
	// that there was nothing to store.
	Checked *slot.Date `json:"checked,omitempty"`
}

// Pending is a state whose archive may or may not be committed.
type Pending struct {
	Current  *Point `json:"current"`
	Previous *Point `json:"previous,omitempty"`
}

const format = "napback-state/1"

// maxRecord bounds what is read of a record, in bytes.
const maxRecord = 256 << 20

// Dir is a DiffDir.
type Dir struct{ path string }

// Open opens a DiffDir. It must exist: creating it could hide that a disk is not
// mounted. One that others can write is refused, and so are files in it that they can.
func Open(path string) (*Dir, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("DiffDir %q: %w", path, cause(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("DiffDir %q: not a directory", path)
	}
	if err := trust.Dir(path); err != nil {
		return nil, fmt.Errorf("DiffDir %q: %w", path, err)
	}
	return &Dir{path}, nil
}

// Path is the directory's path.
func (d *Dir) Path() string { return d.path }

// Job is the state of one job.
type Job struct {
	dir  string
	name string
	base string // of its files' names
}

// Job returns the state of the job with the given archive name.
func (d *Dir) Job(name string) *Job { return &Job{d.path, name, escape(name)} }

// Record is the path of the file that holds the job's record.
func (j *Job) Record() string { return j.path(extension) }

// Jobs returns the names of the jobs that have a record.
func (d *Dir) Jobs() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("DiffDir %q: %w", d.path, cause(err))
	}
	var names []string
	for _, e := range entries {
		if strings.ContainsRune(e.Name(), '@') || !strings.HasSuffix(e.Name(), extension) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(d.path, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("DiffDir %q: %w", d.path, err)
		}
		var r struct{ Job string }
		if json.Unmarshal(data, &r) == nil && r.Job != "" {
			names = append(names, r.Job)
		}
	}
	return names, nil
}

const (
	extension = ".napback"
	lockFile  = "napback.lock"
)

// Patterns returns what matches every file that this package keeps in a
// DiffDir, for tar's --exclude.
func Patterns() []string { return []string{"*" + extension, lockFile} }

// Load reads the record. A job without one has an empty one. An error tells that
// there is one which cannot be used.
func (j *Job) Load() (Record, error) {
	empty := Record{Format: format, Job: j.name}
	path := j.path(extension)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	if err != nil {
		return empty, fmt.Errorf("read state %q: %w", path, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err != nil {
		return empty, fmt.Errorf("read state %q: %w", path, cause(err))
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return empty, fmt.Errorf("read state %q: %w", path, err)
	}
	if r.Format != format || r.Job != j.name {
		return empty, fmt.Errorf("read state %q: it is of format %q for job %q", path, r.Format, r.Job)
	}
	return r, nil
}

// Save replaces the record. When it returns nil the new one is durable.
func (j *Job) Save(r Record) error {
	r.Format, r.Job = format, j.name
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("save state of %q: %w", j.name, err)
	}
	if err := writeDurably(j.path(extension), append(data, '\n')); err != nil {
		return fmt.Errorf("save state of %q: %w", j.name, err)
	}
	return nil
}

// NewFile creates an empty file of a unique name for a run to work on. It is the
// caller's to remove; Clean removes what is forgotten.
func (j *Job) NewFile() (*os.File, error) {
	f, err := os.CreateTemp(j.dir, j.base+"@new-*"+extension)
	if err != nil {
		return nil, fmt.Errorf("create snapshot for %q: %w", j.name, err)
	}
	return f, nil
}

// Keep makes the file that a run worked on the snapshot of that run, durable,
// and returns what a Point says of it: its name and its sum.
func (j *Job) Keep(work, run string) (name, sum string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep snapshot of %q: %w", j.name, err)
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
	points := []*Point{r.Current, r.Previous}
	if r.Pending != nil {
		points = append(points, r.Pending.Current, r.Pending.Previous)
	}
	for _, p := range points {
		if p != nil {
			keep[p.Snapshot] = true
		}
	}
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return fmt.Errorf("clean up state of %q: %w", j.name, err)
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

func (j *Job) path(suffix string) string { return filepath.Join(j.dir, j.base+suffix) }

// cause drops the path, which our messages name already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Paths returns where the snapshot of a point is, "" for no point, and a name for
// a copy that a person works on by hand; Clean removes that.
func (j *Job) Paths(p *Point) (kept, work string) {
	if p != nil {
		kept = filepath.Join(j.dir, p.Snapshot)
	}
	return kept, j.path("@new-by-hand" + extension)
}
