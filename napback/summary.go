package main

import (
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
)

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
		if r.name != "" {
			archive, read = r.name, cli.FormatSize(r.source)
		}
		if r.stored != "" {
			stored = r.stored
		}
		if r.outcome == doneNow || r.outcome == doneWarned || r.outcome == failed {
			took = r.duration.Round(100 * time.Millisecond).String()
		}
		rows = append(rows, []string{r.job, string(r.outcome), archive, read, stored, took})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	for _, r := range results {
		if r.note == "" {
			continue
		}
		if err := printf(w, "%s: %s: %s\n", oneLine(r.job), r.outcome, oneLine(r.note)); err != nil {
			return err
		}
	}
	return nil
}
