// Package state keeps, in DiffDir, what napback has to know of a job's last
// archives to make the next increment.
//
// A job has one record for each store (ESC+KEY.napback, JSON) and the snapshot
// files that it names (ESC+KEY@RUN.napback), where ESC is the job's archive name,
// escaped, and KEY a hash of the endpoint, the bucket and the source: another
// store or another source of the same name is another state. The record tells
// three points: the current archive, the one before it, so that a day can be done
// again, and one that is pending, whose commit was asked for but never heard of.
// It lists the runs that were stored or adopted here, and tells the owner under
// whose id the job stores. A snapshot file never changes once a record names it.
//
// The file `owner` holds the id under which jobs begin: see MakeOwner.
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
	"slices"
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

	// Token is a secret until the manifest tells it: a manifest without it is not
	// the one that was to commit the run.
	Token string `json:"token,omitempty"`

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

// Run is a run that was stored here, or adopted.
type Run struct {
	Name   string    `json:"name"` // of the archive
	Run    string    `json:"run"`
	Type   slot.Type `json:"type"`
	Slot   int64     `json:"slot"`
	Turn   int64     `json:"turn"`
	Cycle  int64     `json:"cycle"`
	Date   slot.Date `json:"date"`
	Chain  string    `json:"chain,omitempty"`
	Parent string    `json:"parent,omitempty"`
	// Adopted tells that another state stored it.
	Adopted bool `json:"adopted,omitempty"`
	// Unconfirmed tells that its commit was asked for, and that it was not
	// found whole afterwards. It is ours to remove, and nothing else.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// Stored is what a record lists of a point.
func (p *Point) Stored() Run {
	return Run{Name: p.Name, Run: p.Run, Type: p.Type, Slot: p.Slot, Turn: p.Turn, Cycle: p.Cycle, Date: p.Date, Chain: p.Chain, Parent: p.Parent}
}

// Record is all that is kept of a job.
type Record struct {
	Format   string `json:"format"`
	Job      string `json:"job"`
	Endpoint string `json:"endpoint,omitempty"` // as in Key
	Bucket   string `json:"bucket"`
	Source   string `json:"source"`
	// Config is the configuration by which the job has stored last.
	Config string `json:"config,omitempty"`
	// Owner is the id that the job stores under; "" until it has stored.
	Owner    string `json:"owner,omitempty"`
	Current  *Point `json:"current,omitempty"`
	Previous *Point `json:"previous,omitempty"` // the state that Current was made from, if any
	// Pending is what Current and Previous become if the run of its Current
	// turns out to be committed.
	Pending *Pending `json:"pending,omitempty"`
	// Checked is the last date on which nothing was new since Current, so
	// that there was nothing to store.
	Checked *slot.Date `json:"checked,omitempty"`
	// Denied is the last date on which the credentials did not allow to remove
	// what is no longer needed.
	Denied *slot.Date `json:"denied,omitempty"`
	// Runs are those that were stored or adopted here, in the order in which
	// that happened.
	Runs []Run `json:"runs,omitempty"`
}

// Empty tells that nothing is known of a job in this store.
func (r *Record) Empty() bool {
	return r.Current == nil && r.Pending == nil && r.Owner == "" && len(r.Runs) == 0
}

// Has tells whether a run is listed.
func (r *Record) Has(name, run string) bool {
	return slices.ContainsFunc(r.Runs, func(k Run) bool { return k.Name == name && k.Run == run })
}

// Pending is a state whose archive may or may not be committed.
type Pending struct {
	Current  *Point `json:"current"`
	Previous *Point `json:"previous,omitempty"`
}

const format = "napback-state/2"

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

// Key names a state: what is stored under which name where.
type Key struct {
	Name     string // the job's archive name
	Endpoint string // as it is used, or the profile that may have one; "" is AWS
	Bucket   string
	Source   string // kind and source
}

// Job is the state of one job.
type Job struct {
	dir  string
	key  Key
	base string // of its files' names
}

// Job returns the state of a job.
func (d *Dir) Job(key Key) *Job {
	sum := sha256.Sum256([]byte(key.Endpoint + "\x00" + key.Bucket + "\x00" + key.Source))
	return &Job{d.path, key, escape(key.Name) + "+" + hex.EncodeToString(sum[:8])}
}

// Record is the path of the file that holds the job's record.
func (j *Job) Record() string { return j.path(extension) }

// Jobs returns the states of a store that have a record.
func (d *Dir) Jobs(endpoint, bucket string) ([]Key, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("DiffDir %q: %w", d.path, cause(err))
	}
	var keys []Key
	for _, e := range entries {
		if strings.ContainsRune(e.Name(), '@') || !strings.HasSuffix(e.Name(), extension) {
			continue
		}
		var r Record
		if _, err := readRecord(filepath.Join(d.path, e.Name()), &r); err != nil || r.Format != format {
			continue // its job tells of it
		}
		if r.Endpoint == endpoint && r.Bucket == bucket {
			keys = append(keys, Key{r.Job, r.Endpoint, r.Bucket, r.Source})
		}
	}
	return keys, nil
}

const (
	extension = ".napback"
	lockFile  = "napback.lock"
	ownerFile = "owner"
)

// Patterns returns what matches every file that this package keeps in a
// DiffDir, for tar's --exclude.
func Patterns() []string { return []string{"*" + extension, lockFile, ownerFile} }

// Load reads the record. A job without one has an empty one. An error tells that
// there is one which cannot be used.
func (j *Job) Load() (Record, error) {
	empty := Record{Format: format, Job: j.key.Name, Endpoint: j.key.Endpoint, Bucket: j.key.Bucket, Source: j.key.Source}
	path := j.path(extension)
	var r Record
	if found, err := readRecord(path, &r); err != nil || !found {
		return empty, err
	}
	if r.Format != format || (Key{r.Job, r.Endpoint, r.Bucket, r.Source}) != j.key {
		return empty, fmt.Errorf("read state %q: it is of format %q for job %q, %q in bucket %q", path, r.Format, r.Job, r.Source, r.Bucket)
	}
	return r, nil
}

// readRecord reads a record of any format; false if there is none.
func readRecord(path string, r *Record) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read state %q: %w", path, cause(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord))
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil {
		return false, fmt.Errorf("read state %q: %w", path, cause(err))
	}
	return true, nil
}

// Save replaces the record. When it returns nil the new one is durable.
func (j *Job) Save(r Record) error {
	r.Format, r.Job, r.Endpoint, r.Bucket, r.Source = format, j.key.Name, j.key.Endpoint, j.key.Bucket, j.key.Source
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("save state of %q: %w", j.key.Name, err)
	}
	if err := writeDurably(j.path(extension), append(data, '\n')); err != nil {
		return fmt.Errorf("save state of %q: %w", j.key.Name, err)
	}
	return nil
}

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
