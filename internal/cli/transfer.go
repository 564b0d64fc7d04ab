package cli

import (
	"fmt"
	"strings"
	"time"
)

// rateOver is the time over which the rate is an average: longer than a chunk takes, so
// that it is steady, and short enough to show when a line becomes slow.
const rateOver = 30 * time.Second

// transfer is how far a transfer is.
type transfer struct {
	label   string
	total   int64 // bytes to be moved; -1 = nobody knows
	about   bool  // total is a guess
	moved   int64 // bytes
	piped   int64 // bytes
	began   time.Time
	samples []sample // of the last rateOver, oldest first
}

type sample struct {
	at    time.Time
	moved int64
}

func newTransfer(label string, now time.Time) *transfer {
	return &transfer{label: Safe(label), total: -1, began: now, samples: []sample{{now, 0}}}
}

// sample notes how far the transfer is at a time.
func (t *transfer) sample(now time.Time, moved, piped int64) {
	t.moved, t.piped = moved, piped
	t.samples = append(t.samples, sample{now, t.moved})
	for len(t.samples) > 2 && now.Sub(t.samples[1].at) >= rateOver {
		t.samples = t.samples[1:]
	}
}

// rate is in bytes a second; -1 if it is too early to tell.
func (t *transfer) rate(now time.Time) float64 {
	first := t.samples[0]
	took := now.Sub(first.at)
	if took < time.Second || t.moved == 0 {
		return -1
	}
	return max(float64(t.moved-first.moved), 0) / took.Seconds()
}

// maxLeft is the longest time left that is told.
const maxLeft = 100 * time.Hour

// line is the transfer in at most so many columns. What matters less is left out first.
func (t *transfer) line(now time.Time, width int) string {
	amount := FormatSize(t.moved)
	percent, left, rate, waiting := "", t.elapsed(now)+" so far", "", ""
	r := t.rate(now)
	if t.total > 0 && t.moved <= t.total {
		about := ""
		if t.about {
			about = "about "
		}
		amount += " of " + about + FormatSize(t.total)
		percent = fmt.Sprintf("%d%%", t.moved*100/t.total)
		if rest := float64(t.total-t.moved) / r; r > 0 && t.moved < t.total && rest < maxLeft.Seconds() {
			left = spell(time.Duration(rest*float64(time.Second))) + " left"
		}
	}
	if r >= 0 {
		rate = FormatSize(int64(r)) + "/s"
	}
	switch n := t.piped - t.moved; {
	case n > 0 && (t.total < 0 || t.about):
		waiting = FormatSize(n) + " to send"
	case n < 0 && t.moved == t.total:
		waiting = FormatSize(-n) + " to write"
	}
	return t.fit(width, []string{amount, waiting, percent, rate, left}, []int{0, 4, 2, 3, 1})
}

// fit joins the parts that there is room for. matters are the indexes of the parts in
// the order in which they get it.
func (t *transfer) fit(width int, parts []string, matters []int) string {
	chosen := make([]bool, len(parts))
	join := func() string {
		var all []string
		for i, part := range parts {
			if chosen[i] && part != "" {
				all = append(all, part)
			}
		}
		return strings.Join(all, ", ")
	}
	label := narrow(t.label, width/3) + ": "
	for _, i := range matters {
		chosen[i] = true
		if wide(label)+wide(join()) > width {
			chosen[i] = false
		}
	}
	text := join()
	return narrow(narrow(t.label, width-wide(text)-2)+": "+text, width)
}

// summary is what stays to be read.
func (t *transfer) summary(now time.Time, width int) string {
	rate := ""
	if took := now.Sub(t.began); took >= time.Second {
		rate = FormatSize(int64(float64(t.moved)/took.Seconds())) + "/s"
	}
	return t.fit(width, []string{FormatSize(t.moved) + " in " + t.elapsed(now), rate}, []int{0, 1})
}

func (t *transfer) elapsed(now time.Time) string { return spell(now.Sub(t.began)) }

// spell writes a time as 12s, 3m10s or 5h02m.
func spell(d time.Duration) string {
	s := int(d / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}

// wide is how many columns a text takes at most.
func wide(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth takes everything from Hangul on as wide, which is too much for some.
func runeWidth(r rune) int {
	if r < 0x1100 {
		return 1
	}
	return 2
}

// narrow cuts a text to so many columns, and says so by dots.
func narrow(text string, width int) string {
	if wide(text) <= width {
		return text
	}
	var b strings.Builder
	room := width - 3
	for _, r := range text {
		if room -= runeWidth(r); room < 0 {
			break
		}
		b.WriteRune(r)
	}
	return b.String() + "..."[:max(min(width, 3), 0)]
}
