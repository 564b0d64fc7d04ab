package run

import (
	"errors"
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/chain"
	"napback/napback/notify"
)

// The outcomes of a job beside those of its backup.
const (
	failed      backup.Outcome = "FAILED"
	interrupted backup.Outcome = "interrupted"
)

// result is a job's line in the summary.
type result struct {
	backup.Result
	job      string // as the configuration names it
	duration time.Duration
	err      error // why it failed
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

// failures returns what a mail shows of the jobs that failed.
func failures(results []result) []notify.Failure {
	var all []notify.Failure
	for _, r := range results {
		if r.err == nil {
			continue
		}
		f := notify.Failure{Job: r.job, Error: r.err.Error()}
		var stage *chain.Error
		if errors.As(r.err, &stage) {
			f.Stage, f.Lines = stage.Cause.Stage, stage.Cause.Stderr
		}
		all = append(all, f)
	}
	return all
}

// attrs are what a log tells of a result.
func (r *result) attrs() []any {
	attrs := []any{"seconds", r.duration.Seconds()}
	if r.Archive != "" {
		attrs = append(attrs, "archive", r.Archive, "read", r.Read, "stored", r.Stored.String())
	}
	if r.Note != "" {
		attrs = append(attrs, "note", r.Note)
	}
	return attrs
}

// printSummary prints a line for each job. It goes to stdout, as the result of
// the run: a cron line that ends in >/dev/null is mailed warnings and errors only.
func printSummary(w io.Writer, results []result) error {
	if len(results) == 0 {
		_, err := fmt.Fprintln(w, "no jobs are configured")
		return err
	}
	rows := [][]string{{"JOB", "STATE", "ARCHIVE", "READ", "STORED", "TIME"}}
	for _, r := range results {
		archive, read, stored, took := "-", "-", "-", "-"
		if r.Archive != "" {
			archive, read, stored = r.Archive, cli.FormatSize(r.Read), r.Stored.String()
		}
		if r.Outcome == backup.Done || r.Outcome == backup.DoneWarned || r.Outcome == failed {
			took = r.duration.Round(100 * time.Millisecond).String()
		}
		rows = append(rows, []string{r.job, string(r.Outcome), archive, read, stored, took})
	}
	if err := cli.PrintTable(w, rows); err != nil {
		return err
	}
	for _, r := range results {
		if r.Note == "" {
			continue
		}
		if err := cli.Printf(w, "%s: %s: %s\n", cli.Safe(r.job), r.Outcome, cli.Safe(r.Note)); err != nil {
			return err
		}
	}
	return nil
}
