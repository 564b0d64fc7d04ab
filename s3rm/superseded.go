package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"napback/internal/archive"
	"napback/internal/cli"
)

// concurrency is how many names are looked at at the same time.
const concurrency = 16

// maxRuns is how many runs of a bucket are held.
const maxRuns = 200_000

// facts is what has to be known of a run to tell whether it can go.
type facts struct {
	name     string
	run      archive.Run
	state    archive.State
	by       string            // the key that has signed it, if that was asked for
	err      string            // why its manifest cannot be read, or its time cannot be true
	unsigned bool              // nobody has signed it, though that is asked for
	m        *archive.Manifest // without meta
	needs    []archive.Run     // what it builds on, directly
}

// owned names a group of runs that supersede one another.
type owned struct{ name, owner string }

// read describes all runs of a name, or of the whole bucket if it is empty,
// those of each name from the oldest to the newest; or only the incomplete ones.
// With too many runs the error wraps ErrTooManyRuns; some of the incomplete
// ones are returned then.
func read(ctx context.Context, st archive.Store, name string, incomplete bool) ([]facts, error) {
	names := func(ctx context.Context) iter.Seq2[string, error] { return archive.Names(ctx, st, "") }
	if name != "" {
		names = archive.Each(name)
	}
	var all []facts
	err := archive.DescribeNames(ctx, st, names, true, concurrency, func(s *archive.Survey) error {
		if s.Err != nil && !incomplete {
			return s.Err
		}
		for info, err := range s.Runs(ctx) {
			if err != nil {
				return err
			}
			if incomplete && info.State != archive.Incomplete {
				continue
			}
			if len(all) == maxRuns {
				return fmt.Errorf("%w: more than %d in the bucket", archive.ErrTooManyRuns, maxRuns)
			}
			all = append(all, newFacts(info))
		}
		return s.Err
	})
	return all, err
}

// newFacts keeps what is needed of a run: a bucket may hold many manifests.
func newFacts(info archive.RunInfo) facts {
	r := facts{name: info.Name, run: info.Run, state: info.State, by: info.SignedBy, unsigned: errors.Is(info.Err, archive.ErrUnsigned)}
	if info.Err != nil {
		r.err = clip(info.Err.Error())
	}
	if m := info.Manifest; m != nil {
		for _, need := range []string{string(m.Parent), m.Meta["parent"], m.Meta["chain"]} {
			if run, err := archive.ParseRun(strings.Clone(need)); err == nil && !slices.Contains(r.needs, run) {
				r.needs = append(r.needs, run)
			}
		}
		r.m = &archive.Manifest{Name: info.Name, Run: info.Run, Owner: m.Owner, Bytes: m.Bytes, ChunkBytes: m.ChunkBytes, Chunks: m.Chunks}
	}
	return r
}

// clip shortens a text that somebody else has written.
func clip(text string) string {
	const most = 400
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:most]), "") + "..."
}

// committed tells that a run supersedes others, or is superseded itself.
func (r facts) committed() bool {
	return r.state == archive.Committed || r.state == archive.Superseded
}

// superseded returns those of a bucket's runs that can go. The newest comes
// first, so that an interruption never leaves a run without what it builds on. A
// run goes if a newer one of its name and owner is whole, and no run that stays
// builds on it. If name is not empty, only runs of that name go; the others count
// all the same, because a run may build on one of another name. With verifying,
// runs that are not trusted stay and make no other run go or stay, and only a
// signed run supersedes others.
func superseded(all []facts, name string, verifying bool, log *cli.Log, whole func(facts) (reason, err error)) ([]facts, error) {
	reportUntrusted(all, log)
	for _, r := range all {
		if r.m == nil && r.state != archive.Incomplete && r.state != archive.Unsigned {
			return nil, cli.WithHint(fmt.Errorf("nothing is removed, because it is not known what %q builds on: %s", r.name+":"+string(r.run), r.err),
				"remove that run by its address if it is of no use, or give credentials that may read it")
		}
	}
	groups := map[owned][]int{}
	for i, r := range all {
		if r.state == archive.Suspect {
			log.Warnf("%s:%s supersedes nothing: %s", cli.Safe(r.name), r.run, r.err)
		}
		if r.committed() && (name == "" || r.name == name) {
			key := owned{r.name, r.m.Owner}
			groups[key] = append(groups[key], i)
		}
	}
	goes := map[int]bool{}
	for _, group := range groups {
		// The newest whole one counts. What is not whole stays, and supersedes nothing.
		for at := len(group) - 1; at > 0; at-- {
			r := all[group[at]]
			if verifying && r.by == "" {
				continue
			}
			reason, err := whole(r)
			if err != nil {
				return nil, err
			}
			if reason != nil {
				log.Warnf("%s:%s is not whole and supersedes nothing: %v", cli.Safe(r.name), r.run, reason)
				continue
			}
			for _, i := range group[:at] {
				goes[i] = true
			}
			break
		}
	}
	keepNeeded(all, goes, log)
	var found []facts
	for i, r := range all {
		if goes[i] {
			found = append(found, r)
		}
	}
	slices.SortStableFunc(found, func(a, b facts) int { return strings.Compare(string(b.run), string(a.run)) })
	return found, nil
}

// reportUntrusted warns of runs that no wanted key has signed: it names those
// with a wrong signature and counts those with none.
func reportUntrusted(all []facts, log *cli.Log) {
	unsigned := 0
	for _, r := range all {
		switch {
		case r.state != archive.Unsigned:
		case r.unsigned:
			unsigned++
		default:
			log.Warnf("%s:%s stays and supersedes nothing: %s", cli.Safe(r.name), r.run, r.err)
		}
	}
	if unsigned > 0 {
		log.Warnf("runs that nobody has signed stay and supersede nothing: %d", unsigned)
	}
}

// keepNeeded takes from goes the runs that a run that stays builds on, directly
// or through others. It knows runs by their identifier alone: what a manifest
// builds on may have any name.
func keepNeeded(all []facts, goes map[int]bool, log *cli.Log) {
	byRun := map[archive.Run][]int{}
	var stay []int
	for i, r := range all {
		byRun[r.run] = append(byRun[r.run], i)
		if !goes[i] {
			stay = append(stay, i)
		}
	}
	for len(stay) > 0 {
		r := all[stay[len(stay)-1]]
		stay = stay[:len(stay)-1]
		for _, need := range r.needs {
			for _, i := range byRun[need] {
				if goes[i] {
					delete(goes, i)
					stay = append(stay, i)
					log.Verbosef("%s:%s stays, because %s:%s builds on it", cli.Safe(all[i].name), all[i].run, cli.Safe(r.name), r.run)
				}
			}
		}
	}
}
