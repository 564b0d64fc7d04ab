//go:build linux

package storm

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// restoreAll restores everything again that can be, and compares it.
func (w *world) restoreAll() {
	w.t.Helper()
	now := w.objects()
	for _, c := range w.sorted() {
		if w.chain(c, now) != nil {
			w.verify(c, now, true)
		}
	}
	for _, h := range w.hosts {
		w.list(h, now)
		w.newest(h)
		w.someDates(h)
	}
}

// someDates restores with napback what the host stored last on some dates. One that
// has lost its state may go on under another owner's id.
func (w *world) someDates(h *host) {
	w.t.Helper()
	if h.losses > 0 {
		return
	}
	dates := map[string]bool{}
	for _, c := range w.sorted() {
		if c.by.host == h && c.label == h.label() && !c.by.apart && w.promised(c) {
			dates[c.date] = true
		}
	}
	n := 0
	for date := range dates {
		if got := w.restore(h, "--at", date); got != nil && !w.isOf(got, date) {
			w.fault("%s: restore --at %s brings attempt %d", h, date, got.number)
		}
		if n++; n == 4 {
			return
		}
	}
}

// isOf tells whether an attempt has stored something as of a date.
func (w *world) isOf(a *attempt, date string) bool {
	return slices.ContainsFunc(w.sorted(), func(c *commit) bool { return c.by == a && c.date == date })
}

// list checks that what napback lists as restorable is what was restored.
func (w *world) list(h *host, now map[string]*held) {
	w.t.Helper()
	out, err := h.ask("list", "--json")
	if err != nil {
		w.tell("%s: %v", h, err)
		return
	}
	w.count["lists compared"]++
	for in := json.NewDecoder(strings.NewReader(out)); in.More(); {
		var line struct {
			Name, Run  string
			Chain      []string
			Restorable bool
		}
		w.must(in.Decode(&line))
		address := h.bucket + ":" + line.Name + ":" + line.Run
		if w.planted[address] {
			continue
		}
		c := w.commits[address]
		if c == nil {
			w.fault("%s: napback lists %s of run %s, which was never committed", h, line.Name, line.Run)
			continue
		}
		var runs []string
		for _, link := range w.chain(c, now) {
			runs = append(runs, link.run)
		}
		if line.Restorable && !slices.Equal(runs, line.Chain) {
			w.fault("%s: napback lists %s with the chain %q; it is %q", h, c.address(), line.Chain, runs)
		}
		if !line.Restorable && w.promised(c) && h.knows(c) {
			w.fault("%s: napback lists %s as not restorable", h, c.address())
		}
	}
}

// newest restores with napback what it takes for the host's newest archive.
func (w *world) newest(h *host) *attempt {
	w.t.Helper()
	return w.restore(h)
}

// restore restores with napback.
func (w *world) restore(h *host, args ...string) *attempt {
	w.t.Helper()
	to, err := os.MkdirTemp(w.root, "newest-")
	w.must(err)
	defer os.RemoveAll(to)
	_, job, _ := strings.Cut(h.label(), ":")
	if out, err := h.ask(slices.Concat([]string{"restore", "--to", to}, args, []string{job})...); err != nil {
		w.tell("%s: %s%v", h, out, err)
		return nil
	}
	w.count["restored by napback"]++
	return w.compare(fmt.Sprintf("%s: restore %q", h, args), to, false)
}
