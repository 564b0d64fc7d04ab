package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// The results of commands go to stdout; that they cannot is an error.

// Printf writes to stdout, or tells why it cannot.
func Printf(w io.Writer, format string, args ...any) error {
	if _, err := fmt.Fprintf(w, format, args...); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// PrintTable prints rows in columns. Cells may hold foreign text.
func PrintTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = Safe(cell)
		}
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// PrintJSON prints one object a line.
func PrintJSON[T any](w io.Writer, lines []T) error {
	out := json.NewEncoder(SafeJSON(w))
	out.SetEscapeHTML(false)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}
