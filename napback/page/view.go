package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

// How much one page holds. A job without drawings or rows is still one.
const (
	maxDrawn = 400  // jobs with drawings
	maxRows  = 4000 // restore points of all jobs together
	maxOwn   = 60   // of one job
	minOwn   = 6
)

// view is what the template writes. All of its text is safe and bounded.
type view struct {
	Policy template.HTMLAttr
	Style  template.CSS
	Script template.JS

	Host, Made, At string
	Title          string
	Sentence       string // whether all is well
	After          string // what else there is to know
	Well           bool
	Totals         []fact
	Axis           [3]string
	Legend         legend
	Problems, Rest []card
	RestAre        string
}

// fact is a term and what there is to say of it.
type fact struct{ Term, Text string }

// legend says which kinds of marks there are on the page.
type legend struct{ Diff, Broken, Gap, Nothing, Due, Proved, Older bool }

// card is one job.
type card struct {
	Name, Source string
	State, Class string
	Reasons      []string
	Facts        []fact
	Strip        *strip
	Sizes        *sizes
	Axis         [3]string
	Older        bool // the axis begins with what is older
	Rows         []row
	Points       string // what can be restored, in words
	More         string

	problem bool
	last    time.Time // good backup
}

// row is a restore point.
type row struct{ Date, Age, Type, Slot, Size, Read, State, Class string }

// drawn is a job with what is drawn of it.
type drawn struct {
	Job
	points []catalog.RecoveryPoint
	past   history
	unseen bool // the bucket did not answer
}

// newest is the archive that a listing's doubts are about.
func (d *drawn) newest() (newest catalog.RecoveryPoint) {
	for _, p := range d.points {
		if p.Run > newest.Run {
			newest = p
		}
	}
	return newest
}

func newView(p Page) view {
	v := view{
		Style: template.CSS(style), Script: template.JS(script), Host: short(p.Host, maxName),
		Made: p.At.Format(time.RFC3339), At: p.At.Format("Monday 2 January 2006, 15:04 MST"),
	}
	v.Policy = template.HTMLAttr(`content="` + policy() + `"`)
	all := make([]drawn, len(p.Jobs))
	a := axis{today: slot.Today(p.At)}
	for i, j := range p.Jobs {
		if s := j.Standing; s.Attempt != nil || s.Success != nil || s.Failing != nil || s.Proof != nil {
			j.Account = state.Account{Attempt: s.Attempt, Success: s.Success, Failing: s.Failing, Proof: s.Proof}
		}
		d := drawn{Job: j, points: j.Archives.Points()}
		d.unseen = j.Standing.State == standing.Unknown && len(d.points) == 0
		if j.Today.Sub(a.today) > 0 {
			a.today = j.Today // --date, or the store's clock
		}
		d.past = newHistory(j, d.points)
		all[i] = d
	}
	for _, d := range all {
		a.older = a.older || len(d.past.marks) > 0 && d.past.marks[0].date.Sub(a.first()) < 0
	}
	v.Axis = [3]string{brief(a.first()), brief(a.today.AddDays(-days / 2)), "today"}
	cards := make([]card, len(all))
	for i := range all {
		cards[i] = p.newCard(&all[i])
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cards[i].compare(cards[j]) })
	for n, i := range order {
		if n < maxDrawn {
			p.draw(&cards[i], &all[i], a, len(all))
			v.Legend.add(cards[i])
			cards[i].Axis = v.Axis
		}
		if cards[i].problem {
			v.Problems = append(v.Problems, cards[i])
		} else {
			v.Rest = append(v.Rest, cards[i])
		}
	}
	v.Legend.Older = a.older
	v.sum(p, all)
	return v
}

// compare puts problems first, and of these the one that has been without a good
// backup for the longest time. Others stay in the order of the configuration.
func (c card) compare(other card) int {
	switch {
	case c.problem != other.problem && c.problem:
		return -1
	case c.problem != other.problem:
		return 1
	case c.problem:
		return cmp.Or(c.last.Compare(other.last), cmp.Compare(c.Name, other.Name))
	}
	return 0
}

// classOf tells the states that need nobody. Whatever else a job may be called is a
// problem.
func classOf(state standing.Health) (class string, problem bool) {
	switch state {
	case standing.Healthy:
		return "ok", false
	case standing.Due, standing.Running:
		return "due", false
	}
	return "bad", true
}

func (p Page) newCard(d *drawn) card {
	s, account := d.Standing, d.Account
	c := card{Name: short(s.Job, maxName), Source: short(s.Source, maxName), State: short(cmp.Or(string(s.State), "?"), maxWord)}
	c.Class, c.problem = classOf(s.State)
	if s.Committed != nil {
		c.last = *s.Committed
	}
	c.because(s.Reason)
	if a := account.Attempt; a != nil && a.Failed {
		c.worse("FAILED")
		c.because(a.Reason)
	}
	if proof := account.Proof; proof != nil && proof.Failed {
		c.worse("DRILL FAILED")
		c.because("a restore that was to prove the backups failed " + p.moment(proof.At) + ": " + proof.Reason)
	}
	c.Facts = p.facts(d, c.problem)
	return c
}

// worse makes a problem of a job that is none yet.
func (c *card) worse(state string) {
	if !c.problem {
		c.State, c.Class, c.problem = state, "bad", true
	}
}

// because adds a reason, unless it has been told.
func (c *card) because(reason string) {
	reason = short(reason, maxReason)
	if told := func(r string) bool { return strings.Contains(r, reason) }; !slices.ContainsFunc(c.Reasons, told) && reason != "" {
		c.Reasons = append(c.Reasons, reason)
	}
}

// facts are what a person asks first.
func (p Page) facts(d *drawn, problem bool) []fact {
	s, account := d.Standing, d.Account
	var facts []fact
	add := func(term, text string) { facts = append(facts, fact{term, text}) }
	if account.Failing != nil {
		add("Failing since", p.moment(*account.Failing))
	}
	switch {
	case s.Committed != nil:
		add("Last good", fmt.Sprintf("%s (%s, %s)", p.moment(*s.Committed), short(s.Type, maxWord), cli.FormatSize(s.Bytes)))
	case d.unseen && account.Success != nil:
		add("Last good", p.moment(account.Success.Began)+", as this host remembers")
	case d.unseen:
		add("Last good", "not known")
	default:
		add("Last good", "none")
	}
	switch a := account.Attempt; {
	case a == nil:
	case a.Ended == nil && !a.Failed:
		add("Last run", "began "+p.moment(a.Began)+", and has not ended")
	case problem:
		add("Last run", p.moment(a.Began))
	case a.Reason != "":
		add("Warning", short(a.Reason, maxReason))
	}
	add("Next due", day(s.Next, d.Today))
	switch proof := account.Proof; {
	case proof != nil && !proof.Failed:
		add("Proved", short(p.moment(proof.At)+": "+proof.Proved, maxReason))
	case proof == nil && s.Archives > 0:
		add("Proved", "never")
	}
	if w := d.Archives.Warning(d.newest()); w != "" {
		add("Note", short(w, maxReason))
	}
	return facts
}

// draw adds the drawings and the rows, once it is known where things are.
func (p Page) draw(c *card, d *drawn, a axis, jobs int) {
	d.past.place(a)
	c.Strip, c.Sizes, c.Older = newStrip(d.Job, d.past, a), newSizes(d.past.marks), a.older
	proved := provedRuns(d.Job, d.points)
	own := max(minOwn, min(maxOwn, maxRows/max(1, jobs)))
	for i := len(d.points) - 1; i >= 0 && len(c.Rows) < own; i-- {
		c.Rows = append(c.Rows, p.newRow(d.points[i], proved))
	}
	c.Points = fmt.Sprintf("%s since %s", cli.Plural(d.Standing.Archives, "restore point", "restore points"), short(d.Standing.Oldest, maxWord))
	if d.Standing.Archives == 0 {
		c.Points = "no restore point"
	}
	if n := len(d.points) - d.Standing.Archives; n > 0 {
		c.Points += fmt.Sprintf(", %d not restorable", n)
	}
	c.Points += ", " + cli.FormatSize(d.Archives.Bytes)
	if n := len(d.points) - len(c.Rows); n > 0 {
		c.More = fmt.Sprintf("and %d older: napback list names them all", n)
	}
	if d.past.odd > 0 {
		c.Facts = append(c.Facts, fact{"Not drawn", cli.Plural(d.past.odd, "archive", "archives") + " without a date, or of a day to come"})
	}
}

func (p Page) newRow(e catalog.RecoveryPoint, proved map[string]bool) row {
	r := row{
		Date: short(e.Date(), maxWord), Age: since(p.At.Sub(e.Committed)), Type: short(string(e.Type()), maxWord),
		Slot: short(e.Slot(), maxWord), Size: cli.FormatSize(e.Bytes), Read: "-", State: "restorable",
	}
	if e.Broken != nil {
		r.State, r.Class = "not restorable: "+short(e.Broken.Error(), maxName), "bad"
		return r
	}
	var bytes int64
	for _, link := range e.Chain {
		bytes += link.Bytes
	}
	r.Read = cli.FormatSize(bytes)
	if proved[e.Run] {
		r.State += ", proved by a restore"
	}
	if e.Warnings() != "" {
		r.State += ", with warnings"
	}
	return r
}
