package decide

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/state"
)

// Identity is who a job is, as far as its archives tell.
type Identity struct {
	Owner   string // id that it stores under; "" if none has been made yet
	Host    string
	Source  string // kind and source
	Machine string // hash of the machine's id, "" if it has none
}

// kin is what an archive of the job's name is to a job.
type kin int

const (
	mine    kin = iota // stored or adopted here
	twin               // stored under our id, but this state does not know it
	foreign            // somebody else's, or of another source
)

// kin tells what an archive is. known are those that the state lists.
func (s Identity) kin(r catalog.Entry, known *state.Record) kin {
	switch {
	case known.Has(r.Name, r.Run):
		return mine
	case r.Owner == "" && r.Host == s.Host && r.Source() == s.Source:
		return mine // an earlier version stored it
	case r.Owner != "" && r.Owner == s.Owner && r.Source() == s.Source:
		return twin
	}
	return foreign
}

// Strangers sums up the foreign archives under a job's name, a line for each
// owner, host and source.
func (s Identity) Strangers(runs []catalog.Entry, known *state.Record) []string {
	type key struct{ owner, host, source string }
	since := map[key]time.Time{}
	for _, r := range runs {
		if !r.IsArchive() || s.kin(r, known) != foreign {
			continue
		}
		k := key{r.Owner, r.Host, r.Source()}
		if first, ok := since[k]; !ok || r.Committed.Before(first) {
			since[k] = r.Committed
		}
	}
	var all []string
	for k, first := range since {
		who := "owner " + k.owner
		switch k.owner {
		case "":
			who = "no owner"
		case s.Owner:
			who = "this owner, but of another source"
		}
		all = append(all, fmt.Sprintf("%s (host %s, %s, since %s)", who, k.host, k.source, first.UTC().Format(time.DateOnly)))
	}
	slices.Sort(all)
	return all
}

// Adoption is what a job would go on from.
type Adoption struct {
	Owner string
	Host  string
	Runs  []catalog.Entry
}

// Adoptable returns the archives that a job without state takes over by itself:
// those of the newest owner with the same host name and source, if the machine is
// the same too, or if nobody has stored under that id for longer than the schedule
// leaves out. Two machines that run side by side are never taken for one.
func (s Identity) Adoptable(runs []catalog.Entry, schedule slot.Schedule, now time.Time) (Adoption, bool) {
	byOwner := map[string]*Adoption{}
	newest := map[string]catalog.Entry{}
	for _, r := range runs {
		if !r.IsArchive() || r.Owner == "" {
			continue
		}
		if r.Run > newest[r.Owner].Run {
			newest[r.Owner] = r
		}
		if r.Source() == s.Source {
			a := byOwner[r.Owner]
			if a == nil {
				a = &Adoption{Owner: r.Owner, Host: r.Host}
				byOwner[r.Owner] = a
			}
			a.Runs = append(a.Runs, r)
		}
	}
	var best *Adoption
	for owner, a := range byOwner {
		last := newest[owner]
		same := s.Machine != "" && last.Machine() == s.Machine
		idle := now.Sub(last.Began()) > time.Duration(frequency(schedule)+1)*24*time.Hour
		if last.Host != s.Host || last.Source() != s.Source || !same && !idle {
			continue
		}
		if best == nil || last.Run > newest[best.Owner].Run {
			best = a
		}
	}
	if best == nil {
		return Adoption{}, false
	}
	return *best, true
}

// frequency is the number of days between two backups.
func frequency(s slot.Schedule) int {
	switch s := s.(type) {
	case slot.Simple:
		return s.Frequency
	case slot.Hanoi:
		return s.Frequency
	}
	return 1
}

// Adopt makes the runs of an adoption the record's own. What they hold is not
// known here, so that the next backup is a FULL.
func Adopt(r state.Record, a Adoption) state.Record {
	r.Owner = a.Owner
	r.Current, r.Previous, r.Pending, r.Checked = nil, nil, nil, nil
	return AdoptRuns(r, a.Runs)
}

// AdoptRuns lists runs that another state has stored, oldest first.
func AdoptRuns(r state.Record, runs []catalog.Entry) state.Record {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b catalog.Entry) int { return strings.Compare(a.Run, b.Run) })
	r.Runs = slices.Clone(r.Runs)
	for _, e := range runs {
		k, ok := StoredRun(e)
		if !ok || r.Has(e.Name, e.Run) {
			continue
		}
		k.Adopted = true
		later := slices.IndexFunc(r.Runs, func(other state.Run) bool { return other.Run > k.Run })
		if later < 0 {
			later = len(r.Runs)
		}
		r.Runs = slices.Insert(r.Runs, later, k)
	}
	return r
}

// StoredRun is what a record lists of a run in the bucket.
func StoredRun(e catalog.Entry) (state.Run, bool) {
	number, kind, ok := catalog.SplitName(e.Name, e.Job())
	date, err := slot.ParseDate(e.Date())
	if !ok || err != nil {
		return state.Run{}, false
	}
	return state.Run{Archive: state.Archive{Name: e.Name, Run: e.Run, Type: kind, Slot: number, Date: date}, Chain: e.Meta["chain"], Parent: e.Parent()}, true
}

// IsOurs tells whether an archive was stored or adopted here, as far as the state that
// is known tells, or by an earlier version that noted no owner.
func (s Identity) IsOurs(r catalog.Entry, known *state.Record) bool { return s.kin(r, known) == mine }
