// Package retire decides which runs of a job may be removed from its bucket. It
// is pure.
//
// A slot of a schedule is a name, and a name may hold several runs. A slot needs
// its newest archive, so a run may go when all of this holds:
//
//  1. It was stored or adopted here: nothing foreign is ever removed.
//  2. Its slot no longer needs it: a run that was stored here later, with the same
//     or a later date, has the slot, and can be restored. (A slot that the schedule
//     does not have any more is free once later runs have every slot that it
//     has; but a FULL that may have been put aside for ever stays as long as the
//     schedule puts discs aside.) A slot that holds a later date keeps it, whatever
//     is stored to it.
//  3. No run that stays builds on it, whoever stored that. So a chain goes as a
//     whole, when the slot of its last member has been used again.
//
// The order of the state's own list tells what was stored later; a clock never
// does. All slots are looked at every time, so that what was missed is made up.
package retire

import (
	"slices"

	"napback/internal/slot"
)

// Run is an archive of the job in the bucket, or what may be one.
type Run struct {
	Name string // of the archive
	ID   string // RUN
	Slot int64
	Date slot.Date
	Full bool
	// Parents are the runs that it builds on, as far as its manifest or the
	// state tells.
	Parents []string
	// Unclear tells that nothing says what it builds on. It counts as building
	// on every run before it back to the last FULL.
	Unclear bool
	// Ours tells that it was stored or adopted here, as the Order-th.
	Ours  bool
	Order int
	// Adopted tells that another state stored it. Such a run may go, but takes no
	// other's place: what is in a bucket may have been put there by anybody.
	Adopted bool
	// Good tells that it is committed, plausible, readable and, as far as is
	// known, whole: only such a run takes another's place.
	Good bool
	// Future tells that its time cannot be true. Its date does not count then.
	Future bool
}

// Plan is what may go.
type Plan struct {
	// Gone are the runs that may be removed, those that build on others first.
	Gone []Run
	// Rests are the runs that take their places, with all that these build on.
	// Only if they are whole may anything be removed.
	Rests []Run
}

// Decide returns what may go of all the runs of a job under a schedule.
func Decide(runs []Run, s slot.Schedule) Plan {
	p := planner{runs: runs, schedule: s, byID: map[string][]int{}, restores: map[int]bool{}}
	for i, r := range runs {
		p.byID[r.ID] = append(p.byID[r.ID], i)
	}
	replaced := make([][]int, len(runs)) // by which runs; nil if by none
	for i := range runs {
		if runs[i].Ours {
			replaced[i] = p.replacers(i)
		}
	}
	needed := make([]bool, len(runs))
	for i := range runs {
		if replaced[i] == nil {
			p.need(i, needed)
		}
	}
	var plan Plan
	rests := make([]bool, len(runs))
	for i, r := range runs {
		if needed[i] {
			continue
		}
		plan.Gone = append(plan.Gone, r)
		for _, by := range replaced[i] {
			p.need(by, rests)
		}
	}
	slices.SortFunc(plan.Gone, func(a, b Run) int { return b.Order - a.Order })
	for i, r := range runs {
		if rests[i] {
			plan.Rests = append(plan.Rests, r)
		}
	}
	return plan
}

type planner struct {
	runs     []Run
	schedule slot.Schedule
	byID     map[string][]int
	restores map[int]bool // what restorable has found out
}

// restorable tells whether a run and all that it builds on are good.
func (p *planner) restorable(i int) bool {
	if known, ok := p.restores[i]; ok {
		return known
	}
	p.restores[i] = false // what builds on itself is not
	r := p.runs[i]
	ok := r.Good && !r.Future && !r.Unclear && (r.Full || len(r.Parents) > 0)
	for _, parent := range r.Parents {
		ok = ok && slices.ContainsFunc(p.named(parent), p.restorable)
	}
	p.restores[i] = ok
	return ok
}

// named returns the runs that a parent may be. If we know one by that RUN it is that
// one, whatever else has its RUN under another name.
func (p *planner) named(id string) []int {
	var ours []int
	for _, i := range p.byID[id] {
		if p.runs[i].Ours {
			ours = append(ours, i)
		}
	}
	if len(ours) > 0 {
		return ours
	}
	return p.byID[id]
}

// replacers returns the runs because of which the slot of a run no longer needs
// it, or nil.
func (p *planner) replacers(i int) []int {
	x := p.runs[i]
	bySlot := map[int64]int{} // the last stored later, by slot
	for j, y := range p.runs {
		if !y.Ours || y.Adopted || y.Order <= x.Order || y.Date.Sub(x.Date) < 0 && !x.Future || !p.restorable(j) {
			continue
		}
		if old, ok := bySlot[y.Slot]; !ok || p.runs[old].Order < y.Order {
			bySlot[y.Slot] = j
		}
	}
	if by, ok := bySlot[x.Slot]; ok {
		return []int{by}
	}
	if p.schedule.Rotates(x.Slot) || x.Full && p.schedule.KeepsForEver(x.Slot) && !x.Future {
		return nil // a slot in use, or a disc that is kept for ever
	}
	var all []int
	for number, by := range bySlot {
		if p.schedule.Rotates(number) {
			all = append(all, by)
		}
	}
	if len(all) == 0 || int64(len(all)) < p.schedule.Rotating() {
		return nil
	}
	return all
}

// need marks a run and all that it builds on.
func (p *planner) need(i int, marks []bool) {
	for todo := []int{i}; len(todo) > 0; {
		i, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if marks[i] {
			continue
		}
		marks[i] = true
		for _, parent := range p.runs[i].Parents {
			todo = append(todo, p.byID[parent]...)
		}
		if p.runs[i].Unclear {
			todo = append(todo, p.before(p.runs[i])...)
		}
	}
}

// before returns our runs before another, back to the last FULL. Runs sort by
// their times.
func (p *planner) before(r Run) []int {
	last := ""
	for _, x := range p.runs {
		if x.Ours && x.Full && x.ID < r.ID {
			last = max(last, x.ID)
		}
	}
	var all []int
	for i, x := range p.runs {
		if x.Ours && x.ID >= last && x.ID < r.ID {
			all = append(all, i)
		}
	}
	return all
}
