package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"napback/internal/cli"
)

// The results of commands go to stdout; that they cannot is an error.

func printf(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// printTable prints rows in columns. Cells may hold foreign text.
func printTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cli.Safe(cell)
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// printJSON prints one object a line.
func printJSON[T any](w io.Writer, lines []T) error {
	out := json.NewEncoder(cli.SafeJSON(w))
	out.SetEscapeHTML(false)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}

// age writes a time span for people: in minutes, hours or days.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0m"
	case d < 2*time.Hour:
		return fmt.Sprintf("%dm", int(d/time.Minute))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d/time.Hour))
	}
	return fmt.Sprintf("%dd", int(d/(24*time.Hour)))
}
