package page

import (
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/standing"
)

// The drawings of all jobs have one axis, in units of a viewBox: the last days, one
// column each, and on its left, if any job has them, what is older: in order,
// without a scale.
const (
	width    = 350
	days     = 35 // columns
	maxOlder = 8  // marks
	olderEnd = 64 // where that part ends
)

// axis is where things are on the drawings.
type axis struct {
	today slot.Date
	older bool
}

// column is the left of a day's column and its width.
func (a axis) column(d slot.Date) (x, w float64) {
	from := 0.0
	if a.older {
		from = olderEnd + 6
	}
	w = (width - from) / days
	return from + w*float64(days-1-a.today.Sub(d)), w
}

func (a axis) first() slot.Date { return a.today.AddDays(1 - days) }

// weeks are lines where weeks begin.
func (a axis) weeks(height int) string {
	var path strings.Builder
	for d := a.first(); d.Sub(a.today) <= 0; d = d.AddDays(1) {
		if (d.Day()+3)%7 == 0 { // day 0 was a Thursday
			x, _ := a.column(d)
			fmt.Fprintf(&path, "M%.1f 0v%d", x, height)
		}
	}
	return path.String()
}

// mark is what is drawn for the archives of one date: the best of them, since a day
// may have been repeated.
type mark struct {
	date   slot.Date
	x, w   float64
	kind   slot.Type
	broken bool
	proved bool
	bytes  int64
	chain  string // run of its FULL
}

// better tells that m is to be drawn, and not the other one of the same date.
func (m mark) better(than mark) bool {
	if m.broken != than.broken {
		return than.broken
	}
	return m.kind == slot.Full && than.kind != slot.Full
}

// history is what is known of a job's past.
type history struct {
	marks   []mark // oldest first
	gaps    []slot.Date
	nothing []slot.Date // nothing new was found
	odd     int         // archives without a date, or of a day to come
	hidden  int         // older than what is drawn
}

// newHistory finds what there is to draw, but not yet where.
func newHistory(j Job, points []catalog.RecoveryPoint) history {
	var h history
	proved := provedRuns(j, points)
	byDate := map[slot.Date]int{}
	for _, p := range points {
		d, err := slot.ParseDate(p.Date())
		if err != nil || d.Sub(j.Today) > 0 {
			h.odd++
			continue
		}
		m := mark{date: d, kind: p.Type(), broken: p.Broken != nil, proved: proved[p.Run], bytes: max(0, p.Bytes)}
		if !m.broken {
			m.chain = p.Chain[0].Run
		}
		i, seen := byDate[d]
		switch {
		case !seen:
			byDate[d] = len(h.marks)
			h.marks = append(h.marks, m)
		case m.better(h.marks[i]):
			h.marks[i] = m
		}
	}
	sortMarks(h.marks)
	h.gaps, h.nothing = gapsOf(j, h.marks)
	return h
}

// provedRuns are the archives that the last drill has brought back.
func provedRuns(j Job, points []catalog.RecoveryPoint) map[string]bool {
	all := map[string]bool{}
	proof := j.Account.Proof
	if proof == nil || proof.Failed {
		return all
	}
	for _, p := range points {
		if p.Name+":"+p.Run == proof.Archive && p.Broken == nil {
			for _, e := range p.Chain {
				all[e.Run] = true
			}
		}
	}
	return all
}

// gapsOf are the due days, of those that are drawn, of which nothing was stored
// although it should still be there: no later day has used the slot. A backup on a
// day that is not due stands for the due day before it.
func gapsOf(j Job, marks []mark) (gaps, nothing []slot.Date) {
	if j.Schedule == nil || j.Standing.State == standing.Unknown && len(marks) == 0 {
		return nil, nil
	}
	begin := j.Today.AddDays(1)
	if len(marks) > 0 {
		begin = marks[0].date
	}
	if f := j.Account.Failing; f != nil {
		if d := slot.Today(f.Local()); d.Sub(begin) < 0 {
			begin = d
		}
	}
	used := map[int64]bool{}
	has := map[slot.Date]bool{}
	for _, m := range marks {
		has[m.date] = true
	}
	found := false // something of the turn of the day
	for d := j.Today; d.Sub(begin) >= 0 && j.Today.Sub(d) < days; d = d.AddDays(-1) {
		found = found || has[d]
		s, due := j.Schedule.Slot(d)
		if !due {
			continue
		}
		switch {
		case found || used[s.Number] || d == j.Today && j.Account.Failing == nil:
		case d.String() <= j.Checked && marks[len(marks)-1].date.Sub(d) < 0:
			nothing = append(nothing, d)
		default:
			gaps = append(gaps, d)
		}
		used[s.Number], found = true, false
	}
	return gaps, nothing
}

// place gives the marks their columns, and drops those that are too old.
func (h *history) place(a axis) {
	old := 0
	for old < len(h.marks) && h.marks[old].date.Sub(a.first()) < 0 {
		old++
	}
	h.hidden = max(0, old-maxOlder)
	h.marks, old = h.marks[h.hidden:], old-h.hidden
	for i := range h.marks {
		m := &h.marks[i]
		if i < old {
			m.w = float64(olderEnd) / maxOlder
			m.x = float64(olderEnd) - float64(old-i)*m.w
			continue
		}
		m.x, m.w = a.column(m.date)
	}
}

// strip is the timeline: paths of one kind of mark each.
type strip struct {
	Label, Weeks, Break                                string
	Full, Diff, Chain, Broken, Gap, Nothing, Due, Tick string
}

const stripHeight = 34

// newStrip draws a history that has been placed; nil if there is nothing to see.
func newStrip(j Job, h history, a axis) *strip {
	if len(h.marks)+len(h.gaps) == 0 {
		return nil
	}
	var full, diff, chain, broken, gap, nothing, due, tick strings.Builder
	spans := map[string][2]float64{}
	var order []string
	for _, m := range h.marks {
		x, w := m.x+m.w*0.18, m.w*0.64
		top, to := 7.0, &full
		if m.kind != slot.Full {
			top, to = 16, &diff
		}
		if m.broken {
			fmt.Fprintf(&broken, "M%.1f %.1fh%.1fV26h%.1fzl%.1f %.1fm0 %.1fl%.1f %.1f", x, top, w, -w, w, 26-top, top-26, -w, 26-top)
			continue
		}
		fmt.Fprintf(to, "M%.1f %.1fh%.1fV27h%.1fz", x, top, w, -w)
		if m.proved {
			fmt.Fprintf(&tick, "M%.1f %.1fl1.6 1.8 3-4", m.x+m.w/2-2.3, top-4.2)
		}
		span, seen := spans[m.chain]
		if !seen {
			order, span[0] = append(order, m.chain), x
		}
		span[1] = x + w
		spans[m.chain] = span
	}
	for _, run := range order {
		fmt.Fprintf(&chain, "M%.1f 30.5H%.1f", spans[run][0], spans[run][1])
	}
	for _, d := range h.gaps {
		x, w := a.column(d)
		fmt.Fprintf(&gap, "M%.1f 20l5.4 5.4m0-5.4l-5.4 5.4", x+w/2-2.7)
	}
	for _, d := range h.nothing {
		x, w := a.column(d)
		fmt.Fprintf(&nothing, "M%.1f 26h%.1f", x+w*0.18, w*0.64)
	}
	if j.Standing.State == standing.Due {
		x, w := a.column(j.Today)
		fmt.Fprintf(&due, "M%.1f 16.5h%.1fV26.5h%.1fz", x+w*0.18, w*0.64, -w*0.64)
	}
	s := &strip{
		Weeks: a.weeks(stripHeight), Label: h.label(a), Full: full.String(), Diff: diff.String(), Chain: chain.String(),
		Broken: broken.String(), Gap: gap.String(), Nothing: nothing.String(), Due: due.String(), Tick: tick.String(),
	}
	if a.older {
		s.Break = fmt.Sprintf("M%d 4v3m0 4v3m0 4v3m0 4v3", olderEnd+2)
	}
	return s
}

// label is the timeline in words.
func (h history) label(a axis) string {
	full, diff, broken := 0, 0, 0
	for _, m := range h.marks {
		switch {
		case m.broken:
			broken++
		case m.kind == slot.Full:
			full++
		default:
			diff++
		}
	}
	text := fmt.Sprintf("Timeline from %s to %s: %d FULL, %d DIFF", brief(a.first()), brief(a.today), full, diff)
	if broken > 0 {
		text += fmt.Sprintf(", %d not restorable", broken)
	}
	if n := len(h.gaps); n > 0 {
		text += fmt.Sprintf(", %s without a backup, the last on %s", cli.Plural(n, "due day", "due days"), brief(h.gaps[0]))
	}
	return text
}
