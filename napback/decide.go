package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/config"
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

// other is the type that a slot must not hold beside kind.
func other(kind slot.Type) slot.Type {
	if kind == slot.Full {
		return slot.Diff
	}
	return slot.Full
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
}

// name is the archive name that the decision stores under.
func (d *decision) name(job string) string { return archiveName(job, d.slot.Number, d.kind) }

// reconcile settles a pending state: it becomes the current one if the bucket
// holds its run, else it is dropped. To drop one that is committed loses nothing:
// the next increment then builds on the state before it.
func reconcile(r state.Record, h *holdings) (state.Record, string) {
	p := r.Pending
	if p == nil {
		return r, ""
	}
	r.Pending = nil
	if p.Current == nil {
		return r, "a pending state without a run is dropped"
	}
	if _, ok := h.find(p.Current.Name, p.Current.Run); !ok {
		return r, fmt.Sprintf("run %s of %s was not committed: its state is dropped", p.Current.Run, p.Current.Name)
	}
	r.Current, r.Previous = p.Current, p.Previous
	return r, fmt.Sprintf("run %s of %s is committed: its state is taken over", p.Current.Run, p.Current.Name)
}

// planner decides what a job does on a day. It only looks.
type planner struct {
	job    *config.Job
	host   string
	today  slot.Date
	force  bool
	hash   string // of what selects the files, and of the schedule
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
	d.done = p.done()
	if !p.force && (d.done || !d.due) {
		return d, nil
	}
	d.kind = d.slot.Type
	d.before = p.beforeSlot(d.slot.Number)
	if err := p.checkSlot(d); err != nil {
		return nil, err
	}
	if d.kind == slot.Diff {
		if d.why = p.whyFull(d); d.why != "" {
			d.kind = slot.Full
		} else {
			d.base = d.before
		}
	}
	return d, nil
}

// done tells whether the archive of this date is there. The bucket knows; only
// where it may not be read the local state has to do.
func (p *planner) done() bool {
	for _, r := range p.held.runs {
		if committed(r) && r.Meta["job"] == p.job.Name && r.Meta["date"] == p.today.String() && p.ours(r) {
			return true
		}
	}
	c := p.record.Current
	if c == nil || c.Date != p.today {
		return false
	}
	r, ok := p.held.find(c.Name, c.Run)
	return p.held.blind || ok && r.Meta == nil
}

// ours tells whether a run was stored by this host. A host that was renamed
// still knows the runs in its state.
func (p *planner) ours(r catalog.Entry) bool {
	if r.Host == p.host || r.Host == "" {
		return true
	}
	for _, known := range []*state.Point{p.record.Current, p.record.Previous} {
		if known == nil {
			continue
		}
		if mine, ok := p.held.find(known.Name, known.Run); ok && mine.Host == r.Host {
			return true
		}
	}
	return false
}

// beforeSlot is the newest state whose archive will survive a commit to the
// slot. A turn that is done again starts from the state before it: what it
// replaces cannot be what it builds on.
func (p *planner) beforeSlot(number int64) *state.Point {
	for _, point := range []*state.Point{p.record.Current, p.record.Previous} {
		if point != nil && point.Slot != number {
			return point
		}
	}
	return nil
}

// checkSlot refuses a slot whose archive must not be replaced.
func (p *planner) checkSlot(d *decision) error {
	for _, r := range p.held.runs {
		number, _, _ := slotOf(r.Name, p.job.Name)
		if number != d.slot.Number || !committed(r) {
			continue
		}
		if !p.ours(r) {
			return cli.WithHint(fmt.Errorf("slot %d holds %s of host %q, which this host (%q) must not replace", number, r.Name, r.Host, p.host),
				"give the hosts different archive names, with Prefix %%h or Name; if that host is gone, remove its archives with s3rm")
		}
		if user := p.newerUser(r, d.slot); user != "" {
			return cli.WithHint(fmt.Errorf("slot %d holds %s, which the later archive %s builds on", number, r.Name, user),
				"back up with a later date; or remove the later archives with s3rm first")
		}
	}
	c := p.record.Current
	if p.held.blind && c != nil && c.Cycle == d.slot.Cycle && c.Turn > d.slot.Turn {
		return cli.WithHint(fmt.Errorf("slot %d comes before slot %d, which is done, and the bucket cannot be read to see what builds on it", d.slot.Number, c.Slot),
			"back up with a later date")
	}
	return nil
}

// newerUser names an archive outside the slot that builds on r, if r belongs to
// this very turn. (What builds on an archive of an earlier round of the slot is
// as old as that and replaced in its turn.)
func (p *planner) newerUser(r catalog.Entry, s slot.Slot) string {
	date, err := slot.ParseDate(r.Meta["date"])
	if err != nil || p.job.Settings.Schedule.At(date).Turn != s.Turn {
		return ""
	}
	for _, user := range p.held.runs {
		number, _, _ := slotOf(user.Name, p.job.Name)
		if committed(user) && number != s.Number && (user.Meta["parent"] == r.Run || user.Meta["chain"] == r.Run) {
			return user.Name
		}
	}
	return ""
}

// whyFull returns why the run cannot be a DIFF, or "".
func (p *planner) whyFull(d *decision) string {
	b := d.before
	switch {
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
	return p.brokenChain(b)
}

// brokenChain follows an archive back to its FULL and returns what is missing.
func (p *planner) brokenChain(b *state.Point) string {
	if _, ok := p.held.find(b.FullName, b.Chain); !ok {
		return fmt.Sprintf("the FULL %s, run %s, is not in the bucket", b.FullName, b.Chain)
	}
	seen := map[string]bool{}
	for run := b.Run; ; {
		i := slices.IndexFunc(p.held.runs, func(r catalog.Entry) bool { return r.Run == run && committed(r) })
		if i < 0 || seen[run] {
			return fmt.Sprintf("run %s, which it would build on, is not in the bucket", run)
		}
		seen[run] = true
		r := p.held.runs[i]
		if r.Run == b.Chain || r.Meta == nil { // manifests that cannot be read tell no parent
			return ""
		}
		run = r.Meta["parent"]
	}
}

// retired returns what the slot held before under the other type, and must not
// hold beside the archive that was just committed.
func (p *planner) retired(d *decision, now *state.Point) (name string, ok bool) {
	name = archiveName(p.job.Name, d.slot.Number, other(d.kind))
	if now.FullName == name || now.ParentName == name {
		return "", false
	}
	return name, slices.ContainsFunc(p.held.runs, func(r catalog.Entry) bool { return r.Name == name && committed(r) })
}
