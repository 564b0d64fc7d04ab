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
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"napback/internal/trust"
)

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

func (j *Job) path(suffix string) string { return filepath.Join(j.dir, j.base+suffix) }

// cause drops the path, which our messages name already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
