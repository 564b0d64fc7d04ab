package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
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
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tSTATE\tARCHIVE\tREAD\tSTORED\tTIME")
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
		fmt.Fprintln(table, strings.Join([]string{oneLine(r.job), string(r.outcome), oneLine(archive), read, stored, took}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the summary: %w", err)
	}
	for _, r := range results {
		if r.note == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", oneLine(r.job), r.outcome, oneLine(r.note)); err != nil {
			return fmt.Errorf("print the summary: %w", err)
		}
	}
	return nil
}
