// Package catalog decides, from a listing of a bucket alone, what can be
// restored: which archives belong to a job, which chain of archives brings
// back its state at a moment, and what is missing if none does.
//
// It is pure: it reads the output of `s3ls --json -r`, and neither asks a clock
// nor keeps state, so that a restore works on a machine that knows nothing but
// the bucket.
//
// The way from a listing to a chain:
//
//  1. Read parses the listing.
//  2. OfJob keeps the committed archives whose manifest names the job and that
//     one owner stored of one source: increments of two owners do not fit
//     together. If it cannot tell whose are meant, it does not guess.
//  3. Points follows each archive back through its parents to its FULL.
//  4. At picks the newest point that is not after the moment. If its chain has
//     a missing link, that is an error: to restore what happens to be there
//     would bring back a state that never was.
package catalog

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"napback/internal/slot"
)

// The states of a run, as s3ls tells them.
const (
	Committed  = "committed"
	Superseded = "superseded"
	Incomplete = "incomplete"
	Unreadable = "unreadable"
	// Implausible is a run whose time cannot be true.
	Implausible = "implausible"
	// Unsigned is a run that no key signed which the configuration wants.
	Unsigned = "unsigned"
)

// Entry is one run in a bucket.
type Entry struct {
	Bucket    string            `json:"bucket"`
	Name      string            `json:"name"`
	Run       string            `json:"run"`
	State     string            `json:"state"`
	Error     string            `json:"error"`
	Committed time.Time         `json:"committed"`
	Host      string            `json:"host"`
	Bytes     int64             `json:"bytes"`
	Meta      map[string]string `json:"meta"`
	// Owner is the id of who stored it, "" if the manifest names none.
	Owner string `json:"owner"`
	// BuildsOn is the run that the manifest itself names as its parent.
	BuildsOn string `json:"parent"`
	// Modified is when the manifest was stored, by the store's clock.
	Modified time.Time `json:"modified"`
	// Denied tells that the manifest is there, but that the credentials may
	// not read it.
	Denied bool `json:"denied"`
	// Whole is what a count of the run's objects has found; nil if it was not
	// asked for.
	Whole *bool `json:"whole"`
}

// What napback writes into an archive's meta.

func (e Entry) Job() string         { return e.Meta["job"] }
func (e Entry) Source() string      { return e.Meta["source"] } // kind and source: "Directory /home/build"
func (e Entry) Type() slot.Type     { return slot.Type(e.Meta["type"]) }
func (e Entry) Slot() string        { return e.Meta["slot"] }
func (e Entry) Date() string        { return e.Meta["date"] } // local, YYYY-MM-DD
func (e Entry) Compression() string { return e.Meta["compression"] }
func (e Entry) Encryption() string  { return e.Meta["encryption"] } // fingerprints; "" = none
func (e Entry) Warnings() string    { return e.Meta["warnings"] }

// Parent is the run that a DIFF builds on.
func (e Entry) Parent() string {
	if e.BuildsOn != "" {
		return e.BuildsOn
	}
	return e.Meta["parent"]
}

// Machine is the hash of the machine's id, "" if it has none.
func (e Entry) Machine() string { return e.Meta["machine"] }

// Began is when the run began, by the clock that named it.
func (e Entry) Began() time.Time { return RunTime(e.Run) }

// RunTime is the time that a run begins with; zero if it is no run.
func RunTime(run string) time.Time {
	text, _, _ := strings.Cut(run, "-")
	t, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Address is what s3get reads the run by.
func (e Entry) Address() string { return e.Bucket + ":" + e.Name + ":" + e.Run }

// IsArchive tells that the run is committed and its manifest is known.
func (e Entry) IsArchive() bool { return e.State == Committed || e.State == Superseded }

// order sorts by the time of the commit. Of archives of the same second, dates
// tell which came later, and for the rest their runs make the order definite.
func order(a, b Entry) int {
	return cmp.Or(a.Committed.Compare(b.Committed), strings.Compare(a.Date(), b.Date()), strings.Compare(a.Run, b.Run))
}

// Listing is what `s3ls --json -r` says of a bucket.
type Listing struct {
	// Time is the store's clock, zero if it was not asked for or not told.
	Time    time.Time
	Entries []Entry
}

// ErrTooMuch: a listing does not fit into the memory for one. A bucket holds
// some ten thousand archives at most; more have been planted.
var ErrTooMuch = errors.New("more archives than there can be")

const (
	// maxListing is about how many bytes a listing may take. An archive of ours
	// takes one or two thousand.
	maxListing = 64 << 20
	// maxMeta is how many values the meta of an archive may have. We write some
	// twenty; one of more is none of ours, and its values are dropped.
	maxMeta = 100
)

// weight is about how many bytes an entry takes.
func (e Entry) weight() int {
	n := 512 + len(e.Error) + len(e.Host) + len(e.Name)
	for key, value := range e.Meta {
		n += 64 + len(key) + len(value)
	}
	return n
}

// Read parses the output of `s3ls --json -r`, with --clock or without, line by
// line. A listing that is too large is an ErrTooMuch.
func Read(r io.Reader) (Listing, error) {
	var l Listing
	weight := 0
	for in := json.NewDecoder(r); ; {
		var line struct {
			Entry
			Time *time.Time `json:"store_time"`
		}
		err := in.Decode(&line)
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return l, fmt.Errorf("read what s3ls says: %w", err)
		}
		if line.Time != nil {
			l.Time = *line.Time
			continue
		}
		if len(line.Meta) > maxMeta {
			line.Meta = nil
		}
		if weight += line.weight(); weight > maxListing {
			return l, fmt.Errorf("read what s3ls says: %w", ErrTooMuch)
		}
		l.Entries = append(l.Entries, line.Entry)
	}
}

// Jobs returns the names of the jobs that have archives, sorted.
func Jobs(entries []Entry) []string {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.IsArchive() && e.Job() != "" {
			seen[e.Job()] = true
		}
	}
	var names []string
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
