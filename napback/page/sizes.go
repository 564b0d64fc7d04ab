package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/internal/slot"
)

func sortMarks(marks []mark) {
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.date.Day(), b.date.Day()) })
}

// sizes draws how large archives were: FULLs upwards and DIFFs downwards, each on a
// scale of its own, since a DIFF is a small part of a FULL.
type sizes struct {
	Label, Full, Diff, Base string
	// Caption says what the highest ones are.
	Caption []string
	Height  int
}

const (
	fullHeight = 22 // of the largest
	diffHeight = 13
)

// newSizes draws marks that have been placed; nil if there is nothing to see.
func newSizes(marks []mark) *sizes {
	var most = map[bool]int64{}
	n := map[bool]int{}
	for _, m := range marks {
		full := m.kind == slot.Full
		most[full] = max(most[full], m.bytes)
		n[full]++
	}
	if most[true]+most[false] == 0 {
		return nil
	}
	s := &sizes{Base: fmt.Sprintf("M0 %dH%d", fullHeight, width), Height: fullHeight + 2}
	var full, diff strings.Builder
	for _, m := range marks {
		x, w := m.x+m.w*0.18, m.w*0.64
		if m.kind == slot.Full {
			y := scaled(m.bytes, most[true], fullHeight)
			fmt.Fprintf(&full, "M%.1f %dv%.1fh%.1fv%.1fz", x, fullHeight, -y, w, y)
			continue
		}
		y := scaled(m.bytes, most[false], diffHeight)
		fmt.Fprintf(&diff, "M%.1f %dv%.1fh%.1fv%.1fz", x, fullHeight+1, y, w, -y)
	}
	s.Full, s.Diff = full.String(), diff.String()
	if n[true] > 0 {
		s.Caption = append(s.Caption, "FULL up to "+cli.FormatSize(most[true]))
	}
	if n[false] > 0 {
		s.Caption = append(s.Caption, "DIFF up to "+cli.FormatSize(most[false]))
		s.Height = fullHeight + diffHeight + 2
	}
	s.Label = "Sizes: " + strings.Join(s.Caption, ", ")
	return s
}

// scaled is the height of a bar. What is there is seen, however small.
func scaled(n, most int64, height float64) float64 {
	if most == 0 {
		return 1
	}
	return max(1, height*float64(n)/float64(most))
}
