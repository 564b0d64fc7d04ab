package state

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"napback/internal/slot"
)

// Archive is a run of an archive and its place in the schedule.
type Archive struct {
	Name  string    `json:"name"` // of the archive
	Run   string    `json:"run"`
	Type  slot.Type `json:"type"`
	Slot  int64     `json:"slot"`
	Turn  int64     `json:"turn"`
	Cycle int64     `json:"cycle"`
	Date  slot.Date `json:"date"`
}

// Point is a committed archive and the state of the source that it stored.
type Point struct {
	Archive
	Chain string `json:"chain"` // run of its FULL
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
	Archive
	Chain  string `json:"chain,omitempty"`
	Parent string `json:"parent,omitempty"`
	// Adopted tells that another state stored it.
	Adopted bool `json:"adopted,omitempty"`
	// Unconfirmed tells that its commit was asked for, and that it was not
	// found whole afterwards. It is ours to remove, and nothing else.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// Stored is what a record lists of a point.
func (p *Point) Stored() Run {
	return Run{Archive: p.Archive, Chain: p.Chain, Parent: p.Parent}
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

// Find returns what is listed of a run, nil if nothing is. name may be "" where only
// the run is known.
func (r *Record) Find(name, run string) *Run {
	i := slices.IndexFunc(r.Runs, func(k Run) bool { return k.Run == run && (name == "" || k.Name == name) })
	if i < 0 {
		return nil
	}
	return &r.Runs[i]
}

// Has tells whether a run is listed.
func (r *Record) Has(name, run string) bool { return r.Find(name, run) != nil }

// points are all that the record tells.
func (r *Record) points() []*Point {
	all := []*Point{r.Current, r.Previous}
	if r.Pending != nil {
		all = append(all, r.Pending.Current, r.Pending.Previous)
	}
	return slices.DeleteFunc(all, func(p *Point) bool { return p == nil })
}

// Pending is a state whose archive may or may not be committed.
type Pending struct {
	Current  *Point `json:"current"`
	Previous *Point `json:"previous,omitempty"`
}

const format = "napback-state/2"

// maxRecord bounds what is read of a record, in bytes.
const maxRecord = 256 << 20

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
	data, err := readFile(path, maxRecord)
	if err == nil && data != nil {
		err = json.Unmarshal(data, r)
	}
	if err != nil {
		return false, fmt.Errorf("read state %q: %w", path, err)
	}
	return data != nil, nil
}

// Save replaces the record. When it returns nil the new one is durable.
func (j *Job) Save(r Record) error {
	r.Format, r.Job, r.Endpoint, r.Bucket, r.Source = format, j.key.Name, j.key.Endpoint, j.key.Bucket, j.key.Source
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("save state of %q: %w", j.key.Name, err)
	}
	if err := writeDurably(j.path(extension), append(data, '\n'), os.Rename); err != nil {
		return fmt.Errorf("save state of %q: %w", j.key.Name, err)
	}
	return nil
}
