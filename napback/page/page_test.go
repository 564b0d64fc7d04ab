package page

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"napback/internal/slot"
	"napback/internal/tooltest"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

func TestTheFirstSentenceSaysWhetherAllIsWell(t *testing.T) {
	jobs := func(states ...standing.Health) (p Page) {
		for i, s := range states {
			p.Jobs = append(p.Jobs, Job{Standing: standing.Standing{Job: fmt.Sprint(i), State: s}})
		}
		return p
	}
	ok, due, bad := standing.Healthy, standing.Due, standing.Overdue
	for _, c := range []struct {
		p        Page
		sentence string
		well     bool
	}{
		{jobs(), "There is no job to look after.", false},
		{jobs(ok), "The only job has its backups.", true},
		{jobs(ok, due, "running"), "All 3 jobs have their backups.", true},
		{jobs(bad), "The only job needs you.", false},
		{jobs(ok, bad, ok), "1 of 3 jobs needs you.", false},
		{jobs(ok, standing.Never, standing.Broken), "2 of 3 jobs need you.", false},
		{jobs(bad, standing.Unknown), "All 2 jobs need you.", false},
		{jobs(ok, "SOMETHING NEW"), "1 of 2 jobs needs you.", false},
		{jobs(ok, ""), "1 of 2 jobs needs you.", false},
	} {
		if v := newView(c.p); v.Sentence != c.sentence || v.Well != c.well {
			t.Errorf("%v: %q, well %v; want %q", c.p.Jobs, v.Sentence, v.Well, c.sentence)
		}
	}
}

func TestProblemsComeFirstAndTheLongestFirst(t *testing.T) {
	v := newView(site(t))
	var names []string
	for _, c := range v.Problems {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "new PostgreSQL/shop opt/app" {
		t.Errorf("the problems are %s", got)
	}
	text := render(t, site(t))
	if strings.Index(text, "opt/app") > strings.Index(text, ">etc<") {
		t.Error("a job that is well stands before a problem")
	}
	if reason := "password authentication failed"; strings.Count(text, reason) != 1 {
		t.Errorf("the reason of the failure is told %d times, want once", strings.Count(text, reason))
	}
}

// A job that looks well in the bucket may have failed an hour ago, or failed to be
// restored.
func TestWhatThisHostRemembersMakesAProblem(t *testing.T) {
	began := at.Add(-time.Hour)
	for name, c := range map[string]struct {
		account state.Account
		state   string
		problem bool
	}{
		"nothing":        {state.Account{}, "ok", false},
		"a failed run":   {state.Account{Attempt: &state.Attempt{Began: began, Ended: &began, Failed: true, Reason: "disk full"}}, "FAILED", true},
		"a killed run":   {state.Account{Attempt: &state.Attempt{Began: began, Failed: true, Reason: "disk full"}}, "FAILED", true},
		"a failed drill": {state.Account{Proof: &state.Proof{At: began, Failed: true, Reason: "disk full"}}, "DRILL FAILED", true},
		"a warning":      {state.Account{Attempt: &state.Attempt{Began: began, Ended: &began, Reason: "disk full"}}, "ok", false},
	} {
		j := made{name: "job", begin: 3, bytes: 1000}.job(t)
		j.Account = c.account
		v := newView(Page{At: at, Jobs: []Job{j}})
		all := append(v.Problems, v.Rest...)
		if (len(v.Problems) == 1) != c.problem || all[0].State != c.state {
			t.Errorf("%s: %s, problems %d", name, all[0].State, len(v.Problems))
		}
		if text := render(t, Page{At: at, Jobs: []Job{j}}); strings.Contains(text, "disk full") != (name != "nothing") {
			t.Errorf("%s: its reason is not told", name)
		}
	}
}

func TestGapsAreDueDaysThatShouldHaveABackup(t *testing.T) {
	weekly := slot.Simple{Frequency: 7, Fulls: 9} // due on Thursdays, so 3 days ago
	hanoi := slot.Hanoi{Frequency: 1, Discs: 4}
	for name, c := range map[string]struct {
		m       made
		gaps    string // days ago
		nothing string
	}{
		"whole":                      {made{begin: 20}, "", ""},
		"two are missing":            {made{begin: 20, skip: func(ago int) bool { return ago == 7 || ago == 8 }}, "7 8", ""},
		"yesterday's":                {made{begin: 20, skip: func(ago int) bool { return ago == 1 }}, "1", ""},
		"today's may still come":     {made{begin: 20, skip: func(ago int) bool { return ago == 0 }}, "", ""},
		"today's has failed":         {made{begin: 20, skip: func(ago int) bool { return ago == 0 }, account: failed(0, "x")}, "0", ""},
		"before there was any":       {made{begin: 5}, "", ""},
		"there was never any":        {made{begin: -1}, "", ""},
		"it has always failed":       {made{begin: -1, account: failed(2, "x")}, "0 1 2", ""},
		"nothing was new since":      {made{begin: 20, skip: func(ago int) bool { return ago < 4 }, checked: today.AddDays(-2).String()}, "1", "2 3"},
		"a week":                     {made{begin: 30, schedule: weekly, skip: func(ago int) bool { return ago == 10 }}, "10", ""},
		"slots that are used again":  {rotated(made{begin: 60, schedule: hanoi}), "", ""},
		"slots that should be there": {rotated(made{begin: 60, schedule: hanoi, skip: func(ago int) bool { return ago == 1 }}), "1", ""},
	} {
		c.m.name, c.m.bytes = "job", 1000
		j := c.m.job(t)
		h := newHistory(j, j.Archives.Points())
		ago := func(all []slot.Date) string {
			var days []string
			for _, d := range all {
				days = append(days, fmt.Sprint(today.Sub(d)))
			}
			return strings.Join(days, " ")
		}
		if ago(h.gaps) != c.gaps || ago(h.nothing) != c.nothing {
			t.Errorf("%s: gaps %q, nothing new %q; want %q and %q", name, ago(h.gaps), ago(h.nothing), c.gaps, c.nothing)
		}
	}
}

// A backup that was made up for on the next day stands for the due day before.
func TestADayThatWasMadeUpForIsNoGap(t *testing.T) {
	j := made{name: "job", begin: 30, bytes: 1000, schedule: slot.Simple{Frequency: 7, Fulls: 9}, change: func(e *catalog.Entry, ago int) {
		if ago == 10 {
			e.Meta["date"] = today.AddDays(-9).String()
		}
	}}.job(t)
	if h := newHistory(j, j.Archives.Points()); len(h.gaps) != 0 {
		t.Errorf("gaps: %v", h.gaps)
	}
}

func TestEveryKindOfMarkIsDrawnAndExplained(t *testing.T) {
	v := newView(site(t))
	if v.Legend != (legend{true, true, true, true, true, true, true}) {
		t.Errorf("the legend has %+v", v.Legend)
	}
	count := func(name string) (full, diff, chains, ticks int) {
		for _, c := range append(v.Problems, v.Rest...) {
			if c.Name == name {
				return strings.Count(c.Strip.Full, "z"), strings.Count(c.Strip.Diff, "z"), strings.Count(c.Strip.Chain, "M"), strings.Count(c.Strip.Tick, "M")
			}
		}
		t.Fatalf("there is no %s", name)
		return
	}
	// 2026-11-19 is the day of a FULL; so the drill of two days ago has read two archives.
	if full, diff, chains, ticks := count("etc"); full != 5 || diff != 26 || chains != 5 || ticks != 2 {
		t.Errorf("etc: %d FULL, %d DIFF, %d chains, %d proved", full, diff, chains, ticks)
	}
	// Older ones are drawn up to a number.
	if full, _, chains, _ := count("archive"); full != 5+7 || chains != full {
		t.Errorf("archive: %d FULL, %d chains", full, chains)
	}
}

func TestHostileTextIsBoundedText(t *testing.T) {
	p := hostile()
	text := render(t, p)
	if limit := len(p.Jobs) * 8_000; len(text) > limit {
		t.Errorf("the page takes %d bytes, more than %d", len(text), limit)
	}
	tags := regexp.MustCompile(`<(/?[a-zA-Z!][^\s>]*)`)
	plain := map[string]bool{}
	for _, m := range tags.FindAllStringSubmatch(render(t, site(t)), -1) {
		plain[m[1]] = true
	}
	for _, m := range tags.FindAllStringSubmatch(text, -1) {
		if !plain[m[1]] {
			t.Errorf("the page has the element %q", m[1])
		}
	}
	if n := strings.Count(text, "<script"); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
	for line := range strings.Lines(text) {
		shown := strings.ReplaceAll(html.UnescapeString(line), "\t", "")
		tooltest.Harmless(t, "the page", shown)
	}
}

func TestAPageOfManyJobsStaysSmall(t *testing.T) {
	p := site(t)
	for len(p.Jobs) < 1000 {
		j := p.Jobs[len(p.Jobs)%10]
		j.Standing.Job = fmt.Sprint(j.Standing.Job, len(p.Jobs))
		p.Jobs = append(p.Jobs, j)
	}
	text := render(t, p)
	if limit := 2_200_000; len(text) > limit {
		t.Errorf("1000 jobs take %d bytes, more than %d", len(text), limit)
	}
	for _, j := range p.Jobs {
		if !strings.Contains(text, "<bdi>"+html.EscapeString(j.Standing.Job)+"</bdi>") {
			t.Fatalf("job %s is not on the page", j.Standing.Job)
		}
	}
	t.Logf("1000 jobs take %d kB", len(text)>>10)
}

// A bucket may hold as many archives as fit into a listing.
func TestAJobOfManyArchivesStaysSmall(t *testing.T) {
	m := made{name: "job", begin: 20_000, bytes: 1000, schedule: slot.Simple{Frequency: 1, Fulls: 30_000}}
	if text := render(t, Page{At: at, Jobs: []Job{m.job(t)}}); len(text) > 60_000 {
		t.Errorf("a job with 20,000 archives takes %d bytes", len(text))
	}
}

func TestTheArchivesOfABucketThatDoesNotAnswerAreNotMissing(t *testing.T) {
	success := at.Add(-3 * 24 * time.Hour)
	p := Page{At: at, Jobs: []Job{{
		Standing: standing.Standing{Job: "job", State: standing.Unknown, Reason: "no route to host"}, Schedule: daily, Today: today,
		Account: state.Account{Success: &state.Attempt{Began: success}},
	}}}
	v := newView(p)
	if c := v.Problems[0]; c.Strip != nil || c.Facts[0].Text != "3 days ago, 2026-11-19 03:40, as this host remembers" {
		t.Errorf("%+v", c)
	}
	if v.Totals[2].Text != "at least 0 B" {
		t.Errorf("the total is %q", v.Totals[2].Text)
	}
}
