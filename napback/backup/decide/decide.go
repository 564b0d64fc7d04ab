// Package decide decides what a job does on a day: whether it is due or done, which
// slot it stores to, FULL or DIFF and on what, which archives may go, and who the
// job is among those that store under its name.
//
// It is pure. It takes what the bucket holds (package catalog), the state of the job
// and a date, and returns a plan that can be printed and tested as a table. It asks
// no store, no clock and no source; package backup does, and carries the plan out.
//
// What of the bucket counts, and what does not:
//
//   - The bucket alone never makes a day done: anybody may have stored what it holds.
//   - A run whose time cannot be true is never followed, and no reason to remove or
//     to refuse another.
//   - Only what is whole is built on, or takes the place of others.
//   - What others have stored under the job's name is told, and never removed.
package decide

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup/retire"
	"napback/napback/catalog"
	"napback/napback/state"
)

// MaxSkew is how far the clocks of a host and of a store may differ. Beyond it one
// of them is wrong, and the store's counts.
const MaxSkew = 24 * time.Hour

// TokenMeta is the field of a manifest's meta that tells a Point's Token.
const TokenMeta = "token"

// Decision is what a job is going to do, before anything has been done.
type Decision struct {
	Due     bool
	Done    bool // the archive of this date is there
	Slot    slot.Slot
	Kind    slot.Type    // FULL also where the schedule says DIFF, if Why says so; "" = nothing is to be stored
	Why     string       // why it is a FULL although the schedule says DIFF
	Base    *state.Point // what a DIFF builds on
	Nothing bool         // a DIFF would be empty: there is nothing to do
	// Before is the state before this turn: what Base is, or would be.
	Before *state.Point
	// Twin tells that somebody else stores under our owner's id: see newerTwin.
	Twin bool
	// Warnings are what makes the backup end with warnings.
	Warnings []string
}

// Name is the archive name that the decision stores under.
func (d *Decision) Name(job string) string { return catalog.Name(job, d.Slot.Number, d.Kind) }

// Settle settles a pending state: it becomes the current one if the bucket
// holds its run, whole, else it is dropped. To drop one that is committed loses
// nothing: the next increment then builds on the state before it. Where the bucket
// cannot be listed only s3put's success promotes, and that was not heard of.
func Settle(r state.Record, h *catalog.Contents) (state.Record, string) {
	p := r.Pending
	if p == nil {
		return r, ""
	}
	r.Pending = nil
	if p.Current == nil {
		return r, "a pending state without a run is dropped"
	}
	what := fmt.Sprintf("run %s of %s", p.Current.Run, p.Current.Name)
	// It may be committed yet, by an s3put that has outlived napback. Then it is
	// ours to remove.
	stored := p.Current.Stored()
	stored.Unconfirmed = true
	said := what + " was not committed: its state is dropped"
	entry, why := h.Find(p.Current.Name, p.Current.Run)
	switch {
	case h.ListDenied:
		said = what + " was not confirmed, and the bucket cannot be listed: its state is dropped"
	case entry.Run == "" || entry.State == catalog.Incomplete:
	case why != "":
		said = fmt.Sprintf("%s %s: its state is dropped", what, why)
	case !entry.Denied && entry.Meta[TokenMeta] != p.Current.Token:
		// s3put was killed before its commit, or refused because of this.
		said = what + " has a manifest that is not the one it was to be committed with: its state is dropped"
	default:
		r.Current, r.Previous, r.Checked = p.Current, p.Previous, nil
		stored.Unconfirmed = false
		said = what + " is committed: its state is taken over"
	}
	r.Runs = append(slices.Clone(r.Runs), stored)
	return r, said
}

// Planner decides what a job does on a day. It only looks.
type Planner struct {
	Job      string // its archive name
	Schedule slot.Schedule
	Self     Identity
	Day
	Rival    bool      // another configuration has stored last
	Hash     string    // of what selects the files, and of the schedule
	Now      time.Time // by the store's clock, if that is known
	Record   state.Record
	Contents *catalog.Contents
}

// Day is the date by which schedules go, and what was said of it on the command
// line.
type Day struct {
	Today slot.Date
	Dated bool // Today was given
	Force bool // store also what is not due, or done
}

// Plan decides, or fails with the reason why nothing may be stored.
func (p *Planner) Plan() (*Decision, error) {
	schedule := p.Schedule
	d := &Decision{}
	d.Slot, d.Due = schedule.Slot(p.Today)
	if !d.Due {
		d.Slot = schedule.At(p.Today)
	}
	d.Done = p.Done(d.Slot.Number)
	if !p.Force && (d.Done || !d.Due) {
		return d, nil
	}
	d.Kind = d.Slot.Type
	d.Before = p.beforeSlot(d.Slot.Number)
	if err := p.checkSlot(d); err != nil {
		return nil, err
	}
	twin := p.newerTwin()
	if d.Twin = twin != ""; d.Twin {
		d.Warnings = append(d.Warnings, twin)
	}
	if strangers := p.Self.Strangers(p.Contents.Runs, &p.Record); len(strangers) > 0 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("archives named %s-... are also those of %s: give the jobs names of their own, with Prefix or Name; if this job made them, napback adopt %[1]s",
			p.Job, strings.Join(strangers, "; ")))
	}
	if d.Kind == slot.Diff {
		switch {
		case twin != "":
			d.Why = twin
		default:
			d.Why = p.whyFull(d)
		}
		if d.Why != "" {
			d.Kind = slot.Full
		} else {
			d.Base = d.Before
		}
	}
	return d, nil
}

// Done tells whether the archive of this date and slot was stored here. What is in
// the bucket alone never makes a day done: anybody may have stored it.
func (p *Planner) Done(number int64) bool {
	return !p.Rival && slices.ContainsFunc(p.Record.Runs, func(r state.Run) bool {
		began := catalog.RunTime(r.Run)
		if r.Date != p.Today || r.Slot != number || r.Adopted || r.Unconfirmed || p.future(r.Run) || slot.Today(began.Local()).Sub(p.Today) < -1 {
			return false
		}
		if p.Contents.ListDenied {
			return true
		}
		_, why := p.Contents.Find(r.Name, r.Run)
		return why == ""
	})
}

// future tells that the time of a run cannot be true.
func (p *Planner) future(run string) bool { return catalog.RunTime(run).After(p.Now.Add(MaxSkew)) }

// ahead tells that the store itself says that it stored a run in the future: its
// clock was wrong then, or has gone back and is wrong now. As nothing tells which,
// the run neither goes nor takes a place until its time has come.
func (p *Planner) ahead(r catalog.Entry) bool { return r.Modified.After(p.Now.Add(MaxSkew)) }

// beforeSlot is the newest state of another turn than the slot's. A turn that is
// done again starts from the state before it: what it repeats is then stored
// again. A state on a run whose time cannot be true does not count.
func (p *Planner) beforeSlot(number int64) *state.Point {
	for _, point := range []*state.Point{p.Record.Current, p.Record.Previous} {
		if point != nil && point.Slot != number && !p.future(point.Run) {
			return point
		}
	}
	return nil
}

// checkSlot looks whether the slot holds a later date. What it holds stays. Who
// asked for this very date is asked whether it is meant.
func (p *Planner) checkSlot(d *Decision) error {
	for _, r := range p.Record.Runs {
		if r.Slot != d.Slot.Number || r.Date.Sub(p.Today) <= 0 || r.Unconfirmed || p.future(r.Run) {
			continue
		}
		if _, why := p.Contents.Find(r.Name, r.Run); why != "" && !p.Contents.ListDenied {
			continue
		}
		what := fmt.Sprintf("slot %d holds %s of %s, later than %s", r.Slot, r.Name, r.Date, p.Today)
		if p.Dated && !p.Force {
			return cli.WithHint(errors.New(what), "-f stores this date beside it; nothing that is there is lost by that")
		}
		d.Warnings = append(d.Warnings, what+": both stay until the slot is used on a later day; is the clock right?")
		return nil
	}
	return nil
}

// newerTwin tells of an archive of our own owner that is newer than all that this
// state knows, "" if there is none: the state is an old copy, or two machines have
// one identity. Then nothing is known of what the source was like.
func (p *Planner) newerTwin() string {
	newest := ""
	for _, r := range p.Record.Runs {
		if !p.future(r.Run) {
			newest = max(newest, r.Run)
		}
	}
	since := catalog.RunTime(newest) // of runs of one second nobody knows which came first
	var last catalog.Entry
	for _, r := range p.Contents.Runs {
		if r.IsArchive() && !catalog.RunTime(r.Run).Before(since) && r.Run > last.Run && p.Self.kin(r, &p.Record) == twin {
			last = r
		}
	}
	if last.Run == "" {
		return ""
	}
	return fmt.Sprintf("%s, run %s of host %s, was stored under this owner's id, but is newer than the state here: "+
		"the state is an old copy, or two machines share a DiffDir's copy (if it is an old copy: napback adopt %s; if this machine is a clone: give it a machine-id and a host name of its own, and empty its DiffDir)",
		last.Name, last.Run, last.Host, p.Job)
}

// whyFull returns why the run cannot be a DIFF, or "".
func (p *Planner) whyFull(d *Decision) string {
	b := d.Before
	switch {
	case b == nil && p.Record.Current != nil && p.future(p.Record.Current.Run):
		return fmt.Sprintf("the last state's run %s is in the future", p.Record.Current.Run)
	case b == nil && p.Record.Current != nil:
		return "there is no state from before the archive that it replaces"
	case b == nil:
		return "there is no state of an earlier backup"
	case b.Cycle != d.Slot.Cycle:
		return fmt.Sprintf("the FULL of this cycle is missing, the last backup is of %s", b.Date)
	case b.Hash != p.Hash:
		return "the source's options, excludes or schedule have changed"
	case p.Contents.ListDenied:
		return ""
	}
	_, why := p.Chain(b)
	return why
}

// Chain follows an archive back to its FULL, and returns the runs and what is
// wrong with one of them, or "".
func (p *Planner) Chain(b *state.Point) ([]catalog.Entry, string) {
	full, flaw := p.find(b.FullName, b.Chain)
	if flaw != "" {
		return nil, fmt.Sprintf("the FULL %s, run %s, %s", b.FullName, b.Chain, flaw)
	}
	if b.Run == b.Chain {
		return []catalog.Entry{full}, ""
	}
	link := func(name, run string) (catalog.Entry, bool, error) {
		r, flaw := p.find(name, run)
		if flaw != "" {
			return r, false, fmt.Errorf("run %s, which it would build on, %s", run, flaw)
		}
		return r, true, nil
	}
	last, _, err := link(b.Name, b.Run)
	if err != nil {
		return nil, err.Error()
	}
	runs, err := catalog.Walk(last, len(p.Contents.Runs), func(r catalog.Entry) (catalog.Entry, bool, error) {
		run := p.parent(r)
		if run == "" || run == b.Chain { // a manifest that cannot be read tells no parent
			return r, false, nil
		}
		name := "" // under which it was stored here: another one may have its run under another
		if k := p.Record.Find("", run); k != nil {
			name = k.Name
		}
		return link(name, run)
	})
	if err != nil {
		return nil, err.Error()
	}
	return append(runs, full), ""
}

// find returns a run that a DIFF may build on, or why it may not: its manifest must
// say what the state does, else a restore would not find the chain.
func (p *Planner) find(name, run string) (catalog.Entry, string) {
	r, why := p.Contents.Find(name, run)
	k := p.Record.Find(r.Name, r.Run)
	if why != "" || k == nil || r.Denied {
		return r, why
	}
	switch {
	case r.Job() != p.Job, r.Source() != p.Self.Source, r.Type() != k.Type, r.Date() != k.Date.String(),
		r.Parent() != k.Parent, r.Meta["chain"] != k.Chain && k.Chain != "", !k.Adopted && r.Owner != "" && r.Owner != p.Self.Owner:
		return r, "has a manifest that is not as it was stored"
	}
	return r, ""
}

// parent is the run that a run in the bucket builds on, as its manifest or the
// state tells.
func (p *Planner) parent(r catalog.Entry) string {
	if parent := r.Parent(); parent != "" {
		return parent
	}
	if k := p.Record.Find(r.Name, r.Run); k != nil {
		return k.Parent
	}
	return ""
}

// Retirement is what of the job's archives may go.
func (p *Planner) Retirement() retire.Plan {
	order := map[string]int{}
	for i, r := range p.Record.Runs {
		order[r.Name+":"+r.Run] = i
	}
	var runs []retire.Run
	for _, r := range p.Contents.Runs {
		number, kind, ok := catalog.SplitName(r.Name, p.Job)
		if !ok || r.State == catalog.Incomplete {
			continue
		}
		i, ours := order[r.Name+":"+r.Run]
		var k state.Run
		if ours {
			k = p.Record.Runs[i]
		}
		run := retire.Run{
			Name: r.Name, ID: r.Run, Slot: number, Full: kind == slot.Full, Ours: ours && !p.ahead(r), Order: i,
			Adopted: k.Adopted,
			Good:    p.Contents.Flaw(r) == "" && !k.Unconfirmed,
			Future:  r.State == catalog.Implausible || p.future(r.Run),
		}
		if run.Date = k.Date; !ours {
			run.Date, _ = slot.ParseDate(r.Date())
		}
		for _, parent := range []string{r.BuildsOn, r.Meta["parent"], r.Meta["chain"], k.Parent, k.Chain} {
			if parent != "" && parent != r.Run && !slices.Contains(run.Parents, parent) {
				run.Parents = append(run.Parents, parent)
			}
		}
		run.Unclear = r.State == catalog.Unreadable && !ours
		runs = append(runs, run)
	}
	return retire.Decide(runs, p.Schedule)
}
