package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
)

// machineFile holds what tells this machine from all others.
const machineFile = "/etc/machine-id"

// machineHash returns what manifests tell of the machine: not its id, which is
// confidential, but a hash that only napback makes. "" if it has no id.
func machineHash(path string) string {
	id, err := os.ReadFile(path)
	if text := strings.TrimSpace(string(id)); err == nil && text != "" {
		sum := sha256.Sum256([]byte("napback machine\x00" + text))
		return hex.EncodeToString(sum[:])
	}
	return ""
}

// self is who a job is, as far as its archives tell.
type self struct {
	owner   string // id that it stores under; "" if none has been made yet
	host    string
	source  string // kind and source
	machine string // machineHash
}

// kin is what a run of the job's name is to a job.
type kin int

const (
	mine    kin = iota // stored or adopted here
	twin               // stored under our id, but this state does not know it
	foreign            // somebody else's, or of another source
	unclear            // its manifest cannot be read
)

// kin tells what a run is. known are those that the state lists.
func (s self) kin(r catalog.Entry, known *state.Record) kin {
	switch {
	case known.Has(r.Name, r.Run):
		return mine
	case r.State == catalog.Unreadable:
		return unclear
	case r.Owner == "" && r.Host == s.host && r.Source() == s.source:
		return mine // an earlier version stored it
	case r.Owner != "" && r.Owner == s.owner && r.Source() == s.source:
		return twin
	}
	return foreign
}

// strangers sums up the foreign archives under a job's name, a line for each
// owner, host and source.
func (s self) strangers(runs []catalog.Entry, known *state.Record) []string {
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
		case s.owner:
			who = "this owner, but of another source"
		}
		all = append(all, fmt.Sprintf("%s (host %s, %s, since %s)", who, k.host, k.source, first.UTC().Format(time.DateOnly)))
	}
	slices.Sort(all)
	return all
}

// adoption is what a job would go on from.
type adoption struct {
	owner string
	host  string
	runs  []catalog.Entry
}

// adoptable returns the archives that a job without state takes over by itself:
// those of the newest owner with the same host name and source, if the machine is
// the same too, or if nobody has stored under that id for longer than the schedule
// leaves out. Two machines that run side by side are never taken for one.
func (s self) adoptable(runs []catalog.Entry, schedule slot.Schedule, now time.Time) (adoption, bool) {
	byOwner := map[string]*adoption{}
	newest := map[string]catalog.Entry{}
	for _, r := range runs {
		if !r.IsArchive() || r.Owner == "" {
			continue
		}
		if r.Run > newest[r.Owner].Run {
			newest[r.Owner] = r
		}
		if r.Source() == s.source {
			a := byOwner[r.Owner]
			if a == nil {
				a = &adoption{owner: r.Owner, host: r.Host}
				byOwner[r.Owner] = a
			}
			a.runs = append(a.runs, r)
		}
	}
	var best *adoption
	for owner, a := range byOwner {
		last := newest[owner]
		same := s.machine != "" && last.Machine() == s.machine
		idle := now.Sub(last.Began()) > time.Duration(frequency(schedule)+1)*24*time.Hour
		if last.Host != s.host || last.Source() != s.source || !same && !idle {
			continue
		}
		if best == nil || last.Run > newest[best.owner].Run {
			best = a
		}
	}
	if best == nil {
		return adoption{}, false
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

// adopt makes the runs of an adoption the record's own. What they hold is not
// known here, so that the next backup is a FULL.
func adopt(r state.Record, a adoption) state.Record {
	r.Owner = a.owner
	r.Current, r.Previous, r.Pending, r.Checked = nil, nil, nil, nil
	return adoptRuns(r, a.runs)
}

// adoptRuns lists runs that another state has stored, oldest first.
func adoptRuns(r state.Record, runs []catalog.Entry) state.Record {
	runs = slices.Clone(runs)
	slices.SortFunc(runs, func(a, b catalog.Entry) int { return strings.Compare(a.Run, b.Run) })
	r.Runs = slices.Clone(r.Runs)
	for _, e := range runs {
		k, ok := storedRun(e)
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

// storedRun is what a record lists of a run in the bucket.
func storedRun(e catalog.Entry) (state.Run, bool) {
	number, kind, ok := slotOf(e.Name, e.Job())
	date, err := slot.ParseDate(e.Date())
	if !ok || err != nil {
		return state.Run{}, false
	}
	return state.Run{Archive: state.Archive{Name: e.Name, Run: e.Run, Type: kind, Slot: number, Date: date}, Chain: e.Meta["chain"], Parent: e.Parent()}, true
}

// keyOfState names the state of a job: the store as its tools will use it. Where
// no endpoint is given a profile may have one, which only the S3 tools read: then
// the profile stands for it.
func (e *engine) keyOfState(job *config.Job) state.Key {
	endpoint := endpointOf(&job.Settings, e.kit.Env)
	if profile := setOrEnv(job.Settings.Profile, e.kit.Env, "AWS_PROFILE", "AWS_DEFAULT_PROFILE"); endpoint == "" && profile != "" {
		endpoint = "profile " + profile
	}
	return state.Key{Name: job.Name, Endpoint: endpoint, Bucket: job.Settings.Bucket, Source: job.String()}
}

// endpointOf is the endpoint that the S3 tools are told: that of the configuration,
// else of the environment; "" is AWS, or what a profile says.
func endpointOf(set *config.Settings, env []string) string {
	return strings.TrimRight(setOrEnv(set.Endpoint, env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), "/")
}

// setOrEnv is a setting, or else the first of the variables that is not empty.
func setOrEnv(setting string, env []string, names ...string) string {
	for _, name := range names {
		for _, kv := range env {
			if value, ok := strings.CutPrefix(kv, name+"="); ok && setting == "" {
				setting = value
			}
		}
	}
	return setting
}
