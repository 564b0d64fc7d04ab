package run

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/notify"
)

// The outcomes of a job beside those of its backup.
const (
	failed      backup.Outcome = "FAILED"
	interrupted backup.Outcome = "interrupted"
)

// result is how a job has ended.
type result struct {
	backup.Result
	job      string // as messages name it
	of       *config.Job
	today    slot.Date // the day by which its schedule went
	decision *decide.Decision
	duration time.Duration
	err      error      // why it failed
	trouble  string     // that it has in common with others (tools.Store.Trouble)
	lastGood *slot.Date // of its last backup that did not fail, nil if none is known
	why      string     // it failed, or what it warns of: see describe
	hints    []string
}

// ending is the worst of the results, and how many there are of it.
func ending(results []result) (worst notify.Ending, count int) {
	for i := range results {
		one := results[i].ending()
		if one > worst {
			worst, count = one, 0
		}
		if one == worst {
			count++
		}
	}
	return worst, count
}

func (r *result) ending() notify.Ending {
	switch r.Outcome {
	case failed, interrupted:
		return notify.Failed
	case backup.DoneWarned:
		return notify.Warnings
	}
	return notify.OK
}

// describe makes what people read of the result: lines without secrets, and fit for a
// terminal. Secrets are masked first: in half a text, or one in two lines, nothing
// knows them again.
func (r *result) describe(mask func(string) string) {
	r.why = r.Note
	if r.err != nil {
		r.why = strings.ReplaceAll(mask(r.err.Error()), "\n", "; ")
	}
	clean := func(text string) string { return cli.Safe(mask(text)) }
	r.job, r.Archive, r.why = clean(r.job), clean(r.Archive), clean(r.why)
	for _, hint := range hintsOf(r.err) {
		r.hints = append(r.hints, clean(hint))
	}
}

// hintsOf returns the hints of an error.
func hintsOf(err error) (all []string) {
	var text bytes.Buffer
	cli.PrintError(&text, "napback", err)
	for line := range strings.Lines(text.String()) {
		if hint, ok := strings.CutPrefix(line, "napback: hint: "); ok {
			all = append(all, strings.TrimSuffix(hint, "\n"))
		}
	}
	return all
}

// failures returns what a mail shows of the jobs that failed, beside the summary: what
// programs said that is not the reason itself. What many jobs have in common is shown
// once.
func failures(results []result) (all []notify.Failure) {
	var seen []string
	for _, r := range results {
		var stage *chain.Error
		if !errors.As(r.err, &stage) || r.trouble != "" && slices.Contains(seen, r.trouble) {
			continue
		}
		seen = append(seen, r.trouble)
		if lines := besides(stage.Cause); len(lines) > 0 {
			name := stage.Cause.Stage
			all = append(all, notify.Failure{Job: shorten(r.job, columns-len("The last lines of , of :")-len(name)), Stage: name, Lines: lines})
		}
	}
	return all
}

// besides returns the last lines of a stage if they say more than its last one, which
// is the reason. Of those of our own tools only further errors and warnings do.
func besides(s chain.Status) (lines []string) {
	own := false
	for _, line := range s.Stderr {
		text, ours := strings.CutPrefix(line, s.Stage+": ")
		own = own || ours && strings.HasPrefix(text, "error: ")
		if ours && (strings.HasPrefix(text, "error: ") || strings.HasPrefix(text, "warning: ")) && text != "error: "+s.LastLine() {
			lines = append(lines, line)
		}
	}
	if own {
		return lines
	}
	if len(s.Stderr) < 2 {
		return nil
	}
	return s.Stderr
}

// attrs are what a log tells of a result, for programs.
func (r *result) attrs() []any {
	attrs := []any{"seconds", seconds(r.duration)}
	if r.Archive != "" {
		attrs = append(attrs, "archive", r.Archive, "read_bytes", r.Read, "stored_bytes", r.Stored.Bytes, "chunks", r.Stored.Chunks)
	}
	if r.Note != "" {
		attrs = append(attrs, "note", r.Note)
	}
	return attrs
}

// ends is what a log tells of a result, for people.
func (r *result) ends() string {
	text := "ends: " + string(r.Outcome)
	if r.Archive != "" {
		text += " (" + cli.FormatSize(r.Read) + " read, " + r.Stored.String() + " stored)"
	}
	return text
}

// seconds is a time span as programs read it, to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }
