package catalog

import (
	"fmt"
	"slices"
	"time"

	"napback/internal/cli"
)

// Contents are what a bucket holds of a job.
type Contents struct {
	// ListDenied tells that the credentials do not allow to list, or that there
	// is more than can be listed: nothing is known of the runs.
	ListDenied bool
	// Time is the store's clock, zero if it is not known.
	Time time.Time
	Runs []Entry
	// Counted says of the runs whose objects have been counted why they are
	// not whole, "" if they are; by Address.
	Counted map[string]string
}

// ContentsOf takes a listing. A prefix matches the names of other jobs too
// (home-2 begins as home does); these are left out.
func ContentsOf(l Listing, job string) *Contents {
	runs := slices.DeleteFunc(l.Entries, func(r Entry) bool { return !IsNameOf(r.Name, job) })
	return &Contents{Time: l.Time, Runs: runs}
}

// Flaw tells why a run in the bucket does not count as an archive, "" if it
// does. One whose manifest these credentials may not read does.
func (c *Contents) Flaw(r Entry) string {
	switch {
	case r.State == Incomplete:
		return "is not in the bucket"
	case r.State == Unreadable && !r.Denied:
		return "has a manifest that cannot be read: " + cli.FirstLine(r.Error)
	case r.State == Unreadable:
	case !r.IsArchive():
		return fmt.Sprintf("does not count, it is %s: %s", r.State, cli.FirstLine(r.Error))
	}
	if why := c.Counted[r.Address()]; why != "" {
		return "is not whole: " + why
	}
	return ""
}

// Find returns a run that counts as an archive, or why it does not. name may be
// "" where only the run is known.
func (c *Contents) Find(name, run string) (entry Entry, flaw string) {
	i := slices.IndexFunc(c.Runs, func(r Entry) bool { return r.Run == run && (name == "" || r.Name == name) })
	if i < 0 {
		return Entry{}, "is not in the bucket"
	}
	return c.Runs[i], c.Flaw(c.Runs[i])
}

// Unsigned counts the runs that no wanted key has signed.
func (c *Contents) Unsigned() int {
	n := 0
	for _, r := range c.Runs {
		if r.State == Unsigned {
			n++
		}
	}
	return n
}
