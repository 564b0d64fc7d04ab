package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/retire"
	"napback/napback/state"
)

// archiveName is the name under which a slot stores a job's archive.
func archiveName(job string, number int64, kind slot.Type) string {
	return fmt.Sprintf("%s-%d-%s", job, number, kind)
}

// slotOf takes an archive name of the job apart. ok is false for the names of
// others.
func slotOf(name, job string) (number int64, kind slot.Type, ok bool) {
	rest, found := strings.CutPrefix(name, job+"-")
	if !found {
		return 0, "", false
	}
	cut := strings.LastIndexByte(rest, '-')
	if cut < 0 {
		return 0, "", false
	}
	kind = slot.Type(rest[cut+1:])
	number, err := strconv.ParseInt(rest[:cut], 10, 64)
	if err != nil || kind != slot.Full && kind != slot.Diff || archiveName(job, number, kind) != name {
		return 0, "", false
	}
	return number, kind, true
}

// decision is what a job is going to do, before anything has been done.
type decision struct {
	due     bool
	done    bool // the archive of this date is there
	slot    slot.Slot
	kind    slot.Type    // FULL also where the schedule says DIFF, if why says so
	why     string       // why it is a FULL although the schedule says DIFF
	base    *state.Point // what a DIFF builds on
	nothing bool         // a DIFF would be empty: there is nothing to do
	// before is the state before this turn: what base is, or would be.
	before *state.Point
	// twin tells that somebody else stores under our owner's id: see newerTwin.
	twin bool
	// warnings are what makes the backup end with warnings.
	warnings []string
}

// name is the archive name that the decision stores under.
func (d *decision) name(job string) string { return archiveName(job, d.slot.Number, d.kind) }

// reconcile settles a pending state: it becomes the current one if the bucket
// holds its run, whole, else it is dropped. To drop one that is committed loses
// nothing: the next increment then builds on the state before it. Where the bucket
// cannot be listed only s3put's success promotes, and that was not heard of.
func reconcile(r state.Record, h *holdings) (state.Record, string) {
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
	entry, why := h.there(p.Current.Name, p.Current.Run)
	switch {
	case h.blind:
		said = what + " was not confirmed, and the bucket cannot be listed: its state is dropped"
	case entry.Run == "" || entry.State == catalog.Incomplete:
	case why != "":
		said = fmt.Sprintf("%s %s: its state is dropped", what, why)
	case !entry.Denied && entry.Meta[tokenMeta] != p.Current.Token:
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

// planner decides what a job does on a day. It only looks.
type planner struct {
	job    *config.Job
	rival  bool // another configuration has stored last
	self   self
	today  slot.Date
	dated  bool // the date was given on the command line
	force  bool
	hash   string    // of what selects the files, and of the schedule
	now    time.Time // by the store's clock, if that is known
	record state.Record
	held   *holdings
}

// plan decides, or fails with the reason why nothing may be stored.
func (p *planner) plan() (*decision, error) {
	schedule := p.job.Settings.Schedule
	d := &decision{}
	d.slot, d.due = schedule.Slot(p.today)
	if !d.due {
		d.slot = schedule.At(p.today)
	}
	d.done = p.done(d.slot.Number)
	if !p.force && (d.done || !d.due) {
		return d, nil
	}
	d.kind = d.slot.Type
	d.before = p.beforeSlot(d.slot.Number)
	if err := p.checkSlot(d); err != nil {
		return nil, err
	}
	twin := p.newerTwin()
	if d.twin = twin != ""; d.twin {
		d.warnings = append(d.warnings, twin)
	}
	if strangers := p.self.strangers(p.held.runs, &p.record); len(strangers) > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("archives named %s-... are also those of %s: give the jobs names of their own, with Prefix or Name; if this job made them, napback adopt %[1]s",
			p.job.Name, strings.Join(strangers, "; ")))
	}
	if d.kind == slot.Diff {
		switch {
		case twin != "":
			d.why = twin
		default:
			d.why = p.whyFull(d)
		}
		if d.why != "" {
			d.kind = slot.Full
		} else {
			d.base = d.before
		}
	}
	return d, nil
}

// done tells whether the archive of this date and slot was stored here. What is in
// the bucket alone never makes a day done: anybody may have stored it.
func (p *planner) done(number int64) bool {
	return !p.rival && slices.ContainsFunc(p.record.Runs, func(r state.Run) bool {
		began := catalog.RunTime(r.Run)
		if r.Date != p.today || r.Slot != number || r.Adopted || r.Unconfirmed || p.future(r.Run) || slot.Today(began.Local()).Sub(p.today) < -1 {
			return false
		}
		if p.held.blind {
			return true
		}
		_, why := p.held.there(r.Name, r.Run)
		return why == ""
	})
}

// future tells that the time of a run cannot be true.
func (p *planner) future(run string) bool { return catalog.RunTime(run).After(p.now.Add(maxSkew)) }

// ahead tells that the store itself says that it stored a run in the future: its
// clock was wrong then, or has gone back and is wrong now. As nothing tells which,
// the run neither goes nor takes a place until its time has come.
func (p *planner) ahead(r catalog.Entry) bool { return r.Modified.After(p.now.Add(maxSkew)) }

// beforeSlot is the newest state of another turn than the slot's. A turn that is
// done again starts from the state before it: what it repeats is then stored
// again. A state on a run whose time cannot be true does not count.
func (p *planner) beforeSlot(number int64) *state.Point {
	for _, point := range []*state.Point{p.record.Current, p.record.Previous} {
		if point != nil && point.Slot != number && !p.future(point.Run) {
			return point
		}
	}
	return nil
}

// checkSlot looks whether the slot holds a later date. What it holds stays. Who
// asked for this very date is asked whether it is meant.
func (p *planner) checkSlot(d *decision) error {
	for _, r := range p.record.Runs {
		if r.Slot != d.slot.Number || r.Date.Sub(p.today) <= 0 || r.Unconfirmed || p.future(r.Run) {
			continue
		}
		if _, why := p.held.there(r.Name, r.Run); why != "" && !p.held.blind {
			continue
		}
		what := fmt.Sprintf("slot %d holds %s of %s, later than %s", r.Slot, r.Name, r.Date, p.today)
		if p.dated && !p.force {
			return cli.WithHint(errors.New(what), "-f stores this date beside it; nothing that is there is lost by that")
		}
		d.warnings = append(d.warnings, what+": both stay until the slot is used on a later day; is the clock right?")
		return nil
	}
	return nil
}

// newerTwin tells of an archive of our own owner that is newer than all that this
// state knows, "" if there is none: the state is an old copy, or two machines have
// one identity. Then nothing is known of what the source was like.
func (p *planner) newerTwin() string {
	newest := ""
	for _, r := range p.record.Runs {
		if !p.future(r.Run) {
			newest = max(newest, r.Run)
		}
	}
	since := catalog.RunTime(newest) // of runs of one second nobody knows which came first
	var last catalog.Entry
	for _, r := range p.held.runs {
		if r.IsArchive() && !catalog.RunTime(r.Run).Before(since) && r.Run > last.Run && p.self.kin(r, &p.record) == twin {
			last = r
		}
	}
	if last.Run == "" {
		return ""
	}
	return fmt.Sprintf("%s, run %s of host %s, was stored under this owner's id, but is newer than the state here: "+
		"the state is an old copy, or two machines share a DiffDir's copy (if it is an old copy: napback adopt %s; if this machine is a clone: give it a machine-id and a host name of its own, and empty its DiffDir)",
		last.Name, last.Run, last.Host, p.job.Name)
}

// whyFull returns why the run cannot be a DIFF, or "".
func (p *planner) whyFull(d *decision) string {
	b := d.before
	switch {
	case b == nil && p.record.Current != nil && p.future(p.record.Current.Run):
		return fmt.Sprintf("the last state's run %s is in the future", p.record.Current.Run)
	case b == nil && p.record.Current != nil:
		return "there is no state from before the archive that it replaces"
	case b == nil:
		return "there is no state of an earlier backup"
	case b.Cycle != d.slot.Cycle:
		return fmt.Sprintf("the FULL of this cycle is missing, the last backup is of %s", b.Date)
	case b.Hash != p.hash:
		return "the source's options, excludes or schedule have changed"
	case p.held.blind:
		return ""
	}
	_, why := p.chain(b)
	return why
}

// chain follows an archive back to its FULL, and returns the runs and what is
// wrong with one of them, or "".
func (p *planner) chain(b *state.Point) ([]catalog.Entry, string) {
	full, why := p.there(b.FullName, b.Chain)
	if why != "" {
		return nil, fmt.Sprintf("the FULL %s, run %s, %s", b.FullName, b.Chain, why)
	}
	runs := []catalog.Entry{full}
	for name, run := b.Name, b.Run; run != b.Chain; name = p.nameOf(run) {
		r, why := p.there(name, run)
		if why == "" && len(runs) > len(p.held.runs) {
			why = "builds on itself"
		}
		if why != "" {
			return nil, fmt.Sprintf("run %s, which it would build on, %s", run, why)
		}
		runs = append(runs, r)
		if run = p.parent(r); run == "" {
			break // a manifest that cannot be read tells no parent
		}
	}
	return runs, ""
}

// nameOf is the archive name under which a run was stored here, "" if the state does
// not list it. Another one may have the same run under another name.
func (p *planner) nameOf(run string) string {
	for _, k := range p.record.Runs {
		if k.Run == run {
			return k.Name
		}
	}
	return ""
}

// there returns a run that a DIFF may build on, or why it may not: its manifest must
// say what the state does, else a restore would not find the chain.
func (p *planner) there(name, run string) (catalog.Entry, string) {
	r, why := p.held.there(name, run)
	i := slices.IndexFunc(p.record.Runs, func(k state.Run) bool { return k.Name == r.Name && k.Run == r.Run })
	if why != "" || i < 0 || r.Denied {
		return r, why
	}
	k := p.record.Runs[i]
	switch {
	case r.Job() != p.job.Name, r.Source() != p.self.source, r.Type() != string(k.Type), r.Date() != k.Date.String(),
		r.Parent() != k.Parent, r.Meta["chain"] != k.Chain && k.Chain != "", !k.Adopted && r.Owner != "" && r.Owner != p.self.owner:
		return r, "has a manifest that is not as it was stored"
	}
	return r, ""
}

// parent is the run that a run in the bucket builds on, as its manifest or the
// state tells.
func (p *planner) parent(r catalog.Entry) string {
	if parent := r.Parent(); parent != "" {
		return parent
	}
	for _, known := range p.record.Runs {
		if known.Name == r.Name && known.Run == r.Run {
			return known.Parent
		}
	}
	return ""
}

// retirement is what of the job's archives may go.
func (p *planner) retirement() retire.Plan {
	order := map[string]int{}
	known := map[string]state.Run{}
	for i, r := range p.record.Runs {
		order[r.Name+":"+r.Run], known[r.Name+":"+r.Run] = i, r
	}
	var runs []retire.Run
	for _, r := range p.held.runs {
		number, kind, ok := slotOf(r.Name, p.job.Name)
		if !ok || r.State == catalog.Incomplete {
			continue
		}
		k, ours := known[r.Name+":"+r.Run]
		run := retire.Run{
			Name: r.Name, ID: r.Run, Slot: number, Full: kind == slot.Full, Ours: ours && !p.ahead(r), Order: order[r.Name+":"+r.Run],
			Adopted: k.Adopted,
			Good:    p.held.usable(r) == "" && !k.Unconfirmed,
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
	return retire.Decide(runs, p.job.Settings.Schedule)
}
