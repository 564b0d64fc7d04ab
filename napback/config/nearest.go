package config

import (
	"fmt"
	"slices"
	"strings"
)

// maxTypos is how far a name may be from a known one to be taken for it.
const maxTypos = 2

// nearest returns a question about the known name that is nearest to name, or
// nothing if none is near.
func (p *parser) nearest(name string) string {
	names := []string{cycleBlock, nameSetting, includeLine}
	for _, kind := range p.kinds {
		names = append(names, kind.Name)
	}
	for _, d := range p.known {
		names = append(names, d.name)
	}
	slices.Sort(names)
	best, least := "", min(maxTypos, len(name)/2)+1
	for _, known := range names {
		if n := typos(strings.ToLower(name), strings.ToLower(known), least); n < least {
			best, least = known, n
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// hintOnOld tells what does now what a file of the logging library log4perl did: its
// lines are name = value.
func hintOnOld(name string) string {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, "log4") || strings.HasPrefix(name, "logconf") {
		return "there is no file for the log's configuration: LogFile PATH, LogLevel, LogFormat, Syslog and MailTo, as lines here, set what is logged where"
	}
	return ""
}

// typos counts the letters to insert, delete, change or swap with the next
// one to get from a to b, as far as it is below limit.
func typos(a, b string, limit int) int {
	if abs(len(a)-len(b)) >= limit {
		return limit
	}
	// Three rows of the usual table: before last, last, this.
	older, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		older, last, row = last, row, older
	}
	return last[len(b)]
}

func abs(n int) int { return max(n, -n) }
