package run

import (
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
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
