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
)

// The states of a run, as s3ls tells them.
const (
	Committed  = "committed"
	Superseded = "superseded"
	Incomplete = "incomplete"
	Unreadable = "unreadable"
)

// The types of archives.
const (
	Full = "FULL"
	Diff = "DIFF"
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
}

// What napback writes into an archive's meta.

func (e Entry) Job() string         { return e.Meta["job"] }
func (e Entry) Source() string      { return e.Meta["source"] } // kind and source: "Directory /home/build"
func (e Entry) Type() string        { return e.Meta["type"] }
func (e Entry) Slot() string        { return e.Meta["slot"] }
func (e Entry) Date() string        { return e.Meta["date"] }   // local, YYYY-MM-DD
func (e Entry) Parent() string      { return e.Meta["parent"] } // run that a DIFF builds on
func (e Entry) Compression() string { return e.Meta["compression"] }
func (e Entry) Encryption() string  { return e.Meta["encryption"] } // fingerprints; "" = none
func (e Entry) Warnings() string    { return e.Meta["warnings"] }

// Address is what s3get reads the run by.
func (e Entry) Address() string { return e.Bucket + ":" + e.Name + ":" + e.Run }

// isArchive tells that the run is committed and its manifest is known.
func (e Entry) isArchive() bool { return e.State == Committed || e.State == Superseded }

// order sorts by the time of the commit. Of archives of the same second, dates
// tell which came later, and for the rest their runs make the order definite.
func order(a, b Entry) int {
	return cmp.Or(a.Committed.Compare(b.Committed), strings.Compare(a.Date(), b.Date()), strings.Compare(a.Run, b.Run))
}

// Read parses the output of `s3ls --json -r`.
func Read(r io.Reader) ([]Entry, error) {
	var all []Entry
	for in := json.NewDecoder(r); ; {
		var e Entry
		err := in.Decode(&e)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read what s3ls says: %w", err)
		}
		all = append(all, e)
	}
}

// Jobs returns the names of the jobs that have archives, sorted.
func Jobs(entries []Entry) []string {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.isArchive() && e.Job() != "" {
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

// Archives are those of one job that one host stored, oldest first.
type Archives struct {
	Job  string
	Host string
	All  []Entry
	// OtherHosts are those that stored archives of this job's name as well.
	OtherHosts []string
	// Unreadable are runs that may be archives of the job, but whose
	// manifests cannot be read.
	Unreadable []Entry
}

// OfJob returns the archives of a job. Of those of several hosts it takes the
// preferred host's; if that has none, those of the host that stored the newest.
func OfJob(entries []Entry, job, preferred string) Archives {
	a := Archives{Job: job}
	byHost := map[string][]Entry{}
	var newest Entry
	for _, e := range entries {
		switch {
		case e.State == Unreadable && isName(e.Name, job):
			a.Unreadable = append(a.Unreadable, e)
		case e.isArchive() && e.Job() == job:
			byHost[e.Host] = append(byHost[e.Host], e)
			if order(e, newest) > 0 {
				newest = e
			}
		}
	}
	a.Host = newest.Host
	if len(byHost[preferred]) > 0 {
		a.Host = preferred
	}
	a.All = byHost[a.Host]
	slices.SortFunc(a.All, order)
	slices.SortFunc(a.Unreadable, order)
	for host := range byHost {
		if host != a.Host {
			a.OtherHosts = append(a.OtherHosts, host)
		}
	}
	slices.Sort(a.OtherHosts)
	return a
}

// isName reports whether an archive's name is that of a job with a slot and a
// type: job-3-DIFF.
func isName(name, job string) bool {
	rest, ok := strings.CutPrefix(name, job+"-")
	if !ok {
		return false
	}
	slot, kind, ok := strings.Cut(strings.TrimPrefix(rest, "-"), "-") // a slot before 1970 is negative
	digits := slot != "" && strings.Trim(slot, "0123456789") == ""
	return ok && digits && (kind == Full || kind == Diff)
}
