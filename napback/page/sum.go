package page

import (
	"fmt"

	"napback/internal/cli"
	"napback/napback/standing"
)

// sum says in a sentence whether all is well, and what all jobs come to.
func (v *view) sum(p Page, all []drawn) {
	bad, n := len(v.Problems), len(all)
	v.Well = bad == 0 && n > 0
	switch {
	case n == 0:
		v.Sentence = "There is no job to look after."
	case bad == 0 && n == 1:
		v.Sentence = "The only job has its backups."
	case bad == 0:
		v.Sentence = fmt.Sprintf("All %d jobs have their backups.", n)
	case n == 1:
		v.Sentence = "The only job needs you."
	case bad == n:
		v.Sentence = fmt.Sprintf("All %d jobs need you.", n)
	case bad == 1:
		v.Sentence = fmt.Sprintf("1 of %d jobs needs you.", n)
	default:
		v.Sentence = fmt.Sprintf("%d of %d jobs need you.", bad, n)
	}
	v.Title = v.Sentence + " napback on " + v.Host
	switch rest := n - bad; {
	case bad == 0:
		v.RestAre = "All jobs"
	case rest == 1:
		v.RestAre = "The other one is well"
	default:
		v.RestAre = fmt.Sprintf("The other %d are well", rest)
	}
	points, due, proved, size := 0, 0, 0, ""
	var bytes int64
	for _, d := range all {
		points += d.Standing.Archives
		bytes += d.Archives.Bytes
		if d.Standing.State == standing.Due {
			due++
		}
		if d.unseen {
			size = "at least "
		}
		if proof := d.Account.Proof; proof != nil && !proof.Failed {
			proved++
		}
	}
	if due > 0 {
		v.After = cli.Plural(due, "job is", "jobs are") + " still due today."
	}
	v.Totals = []fact{
		{"Jobs", fmt.Sprint(n)},
		{"Restore points", fmt.Sprint(points)},
		{"In the bucket", size + cli.FormatSize(bytes)},
		{"Proved by a restore", fmt.Sprintf("%d of %d", proved, n)},
	}
}

// add takes in which marks a card has.
func (l *legend) add(c card) {
	if c.Strip == nil {
		return
	}
	for has, path := range map[*bool]string{
		&l.Diff: c.Strip.Diff, &l.Broken: c.Strip.Broken, &l.Gap: c.Strip.Gap, &l.Nothing: c.Strip.Nothing,
		&l.Due: c.Strip.Due, &l.Proved: c.Strip.Tick,
	} {
		*has = *has || path != ""
	}
}
