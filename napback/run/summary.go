package run

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/notify"
)

// The summary is what people read of a run, on stdout, in the mail and in the body of
// a ping. It fits a terminal of 80 columns:
//
//  1. A line for each job, those that failed first. Of these it tells when the last
//     good backup was made. Names that are too long keep their ends.
//  2. Each reason once, with the jobs that it is about and its hints.
//  3. The sums.
const columns = 80

// printSummary prints it, of results that were described. warnings are those that are about no job. It goes to stdout,
// as the result of the run: a cron line that ends in >/dev/null is mailed warnings and
// errors only.
func printSummary(w io.Writer, results []result, warnings []string, took time.Duration) error {
	if len(results) == 0 {
		return cli.Printf(w, "no jobs are configured\n")
	}
	sorted := slices.Clone(results)
	slices.SortStableFunc(sorted, func(a, b result) int { return cmp.Compare(b.ending(), a.ending()) })
	if err := cli.PrintTable(w, table(sorted)); err != nil {
		return err
	}
	var text strings.Builder
	for _, warning := range warnings {
		text.WriteString("\n" + wrap("warning: "+warning, ""))
	}
	for _, group := range byReason(sorted) {
		text.WriteString(group.String())
	}
	if text.Len() > 0 {
		text.WriteString("\n")
	}
	return cli.Printf(w, "%s%s\n", &text, sums(results, took))
}

// table are the lines of the jobs.
func table(results []result) [][]string {
	rows := [][]string{{"JOB", "STATE", "ARCHIVE", "READ", "STORED", "TIME"}}
	for _, r := range results {
		archive, read, stored, took := "-", "-", "-", "-"
		if r.Archive != "" {
			archive, read, stored = r.Archive, cli.FormatSize(r.Read), cli.FormatSize(r.Stored.Bytes)
		} else if r.ending() == notify.Failed {
			archive = r.lastGoodText()
		}
		if r.Outcome == backup.Done || r.Outcome == backup.DoneWarned || r.Outcome == failed {
			took = span(r.duration)
		}
		rows = append(rows, []string{r.job, string(r.Outcome), archive, read, stored, took})
	}
	fit(rows, 0, 2)
	return rows
}

// archiveWidth is what the name of an archive gets in any case: slot and type, or when
// the last good one was made.
const archiveWidth = 22

// fit shortens the cells of the columns a and b so that rows fit.
func fit(rows [][]string, a, b int) {
	widths := make([]int, len(rows[0]))
	room := columns
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		if i != a && i != b {
			room -= widths[i]
		}
	}
	room -= 2 * (len(widths) - 1)
	widthB := min(widths[b], max(room-widths[a], archiveWidth))
	widthA := min(widths[a], room-widthB)
	for _, row := range rows {
		row[a], row[b] = shorten(row[a], widthA), shorten(row[b], widthB)
	}
}

// shorten leaves out the middle of a name that is too long. Its end tells it from
// others, and its first word is the kind of a source.
func shorten(text string, most int) string {
	const dots = "..."
	all := []rune(text)
	if len(all) <= most {
		return text
	}
	head := ""
	if kind, _, ok := strings.Cut(text, " "); ok && utf8.RuneCountInString(kind) < most/2 {
		head = kind + " "
	}
	rest := max(0, most-utf8.RuneCountInString(head)-len(dots))
	return head + dots + string(all[len(all)-rest:])
}

// wrap breaks text into lines that fit, and begins each with indent.
func wrap(text, indent string) string { return lines(strings.Fields(text), indent) }

// lines puts words into lines that fit.
func lines(words []string, indent string) string {
	var b strings.Builder
	room := columns - len(indent)
	used := 0
	for _, word := range words {
		word = shorten(word, room)
		switch n := utf8.RuneCountInString(word); {
		case used == 0:
			b.WriteString(indent + word)
			used = n
		case used+1+n <= room:
			b.WriteString(" " + word)
			used += 1 + n
		default:
			b.WriteString("\n" + indent + word)
			used = n
		}
	}
	return b.String() + "\n"
}

// reasoned are jobs with one reason.
type reasoned struct{ results []result }

// byReason puts the jobs together that have failed for one reason. Warnings, and what
// only reads alike, stay apart.
func byReason(results []result) (all []reasoned) {
	for _, r := range results {
		if r.why == "" {
			continue
		}
		i := slices.IndexFunc(all, func(g reasoned) bool {
			return r.trouble != "" && g.results[0].trouble == r.trouble
		})
		if i < 0 {
			all = append(all, reasoned{})
			i = len(all) - 1
		}
		all[i].results = append(all[i].results, r)
	}
	return all
}

func (g reasoned) String() string {
	first := &g.results[0]
	words := []string{string(first.Outcome) + ":"}
	if len(g.results) > 1 {
		words = append(words, fmt.Sprintf("%d jobs:", len(g.results)))
	}
	for i, r := range g.results {
		end := ","
		if i == len(g.results)-1 {
			end = ":"
		}
		words = append(words, shorten(r.job, columns-15)+end) // on one line with the outcome
	}
	text := "\n" + lines(words, "") + wrap(first.why, "  ")
	for _, hint := range first.hints {
		text += wrap("hint: "+hint, "  ")
	}
	return text
}

// tally is how many jobs ended how.
type tally struct {
	Jobs     int `json:"jobs"`
	OK       int `json:"ok"`
	Warnings int `json:"warnings"`
	Failed   int `json:"failed"`
	Idle     int `json:"idle"` // not due, or done before
}

func tallyOf(results []result) (t tally, read, stored int64) {
	for i := range results {
		r := &results[i]
		t.Jobs++
		switch {
		case r.ending() == notify.Failed:
			t.Failed++
		case r.ending() == notify.Warnings:
			t.Warnings++
		case r.Outcome == backup.NotDue || r.Outcome == backup.DoneBefore:
			t.Idle++
		default:
			t.OK++
		}
		read, stored = read+r.Read, stored+r.Stored.Bytes
	}
	return t, read, stored
}

// sums ends the summary: one line, or two.
func sums(results []result, took time.Duration) string {
	t, read, stored := tallyOf(results)
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.OK, "ok"}, {t.Warnings, "with warnings"}, {t.Failed, "failed"}, {t.Idle, "with nothing to do"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	text := cli.Plural(t.Jobs, "job", "jobs") + ": " + strings.Join(parts, ", ")
	amount := span(took)
	if read+stored > 0 {
		amount = fmt.Sprintf("%s read, %s stored; %s", cli.FormatSize(read), cli.FormatSize(stored), amount)
	}
	if one := text + "; " + amount; len(one) <= columns {
		return one
	}
	return text + ";\n" + amount
}

// span writes a time span in at most seven characters.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// lastGoodText tells of the last good backup of a job that has failed.
func (r *result) lastGoodText() string {
	if r.lastGood == nil {
		return "last good unknown"
	}
	return "last good " + ago(r.today.Sub(*r.lastGood), *r.lastGood)
}

func ago(days int64, date slot.Date) string {
	switch {
	case days < 0: // of a clock, or a --date, that went ahead
		return date.String()
	case days == 0:
		return "today"
	case days == 1:
		return "yesterday"
	}
	return fmt.Sprintf("%d days ago", days)
}
