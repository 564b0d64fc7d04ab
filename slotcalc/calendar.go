package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"napback/internal/slot"
)

// width is that of a month: each day has a column, with the day of the month and the
// type of the backup.
const width = 7 * 4

// calendar prints the months from that of first to that of last, whole.
func (q query) calendar(w io.Writer, first, last slot.Date) error {
	out := bufio.NewWriter(w)
	for month := startOfMonth(first); month.Sub(last) <= 0; {
		next := startOfMonth(month.AddDays(31))
		q.month(out, month, next)
		month = next
	}
	fmt.Fprintln(out, "F full, D incremental, no mark: no backup is due")
	return flush(out)
}

func startOfMonth(d slot.Date) slot.Date {
	_, _, day := d.Civil()
	return d.AddDays(int64(1 - day))
}

// month prints the days from first to before next.
func (q query) month(out io.Writer, first, next slot.Date) {
	year, month, _ := first.Civil()
	title := fmt.Sprintf("%v %d", month, year)
	fmt.Fprintf(out, "%*s\n", (width+len(title))/2, title)
	var line strings.Builder
	for day := time.Monday; day < time.Monday+7; day++ {
		fmt.Fprintf(&line, "%3s ", (day % 7).String()[:2])
	}
	fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	line.Reset()
	line.WriteString(strings.Repeat("    ", int(first.Weekday()+6)%7))
	for d := first; d.Sub(next) < 0; d = d.AddDays(1) {
		_, _, day := d.Civil()
		mark := " "
		if s, due := q.schedule.Slot(d); due {
			mark = string(s.Type[:1])
		}
		fmt.Fprintf(&line, "%3d%s", day, mark)
		if d.Weekday() == time.Sunday || d.AddDays(1) == next {
			fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
			line.Reset()
		}
	}
	fmt.Fprintln(out)
}
