//go:build linux

package storm

import (
	"fmt"
	"slices"
	"time"
)

// most hosts there are at once.
const most = 4

// history is so many rounds of random events.
func (w *world) history(rounds int64) {
	w.addHost("alpha", "")
	w.addHost("beta", "%h")
	for n := range rounds {
		w.round(int(n))
	}
	// In the end all clocks are right and all hosts back up what they have. What
	// was stored by a clock that was a little ahead is of the past by then.
	w.day += 5
	for _, h := range w.hosts {
		h.clock(0)
		h.change(3)
		if a := h.napback(options{force: true}); h.alone() {
			w.wantNewest(h, a)
		}
	}
}

// alone tells that no other host has had the same DiffDir.
func (h *host) alone() bool {
	return !slices.ContainsFunc(h.w.attempts, func(a *attempt) bool { return a.host != h && a.host.family == h.family })
}

// round is what one host does; a day ends when all have had their turn, or at
// times before. Kills come in turn, so that even few rounds meet most of them.
func (w *world) round(n int) {
	rng := w.rng
	if rng.IntN(5) == 0 {
		w.befall()
	}
	h := w.turn()
	if h.jump != 0 && rng.IntN(5) == 0 {
		h.clock(0)
	}
	h.change(1 + rng.IntN(8))
	other := w.hosts[rng.IntN(len(w.hosts))]
	switch n % 20 {
	case 1, 6, 11, 16:
		h.napback(options{force: true, kill: h.nextKill(n / 5)})
	case 8:
		if other != h {
			w.together(h, other)
			break
		}
		fallthrough
	default:
		h.napback(h.anyOptions())
	}
	if n%10 == 9 {
		w.list(h, w.objects())
		w.newest(h)
	}
}

// turn picks a host that has done nothing today. If there is none, tomorrow has
// come; at times it comes before, and at times more than one.
func (w *world) turn() *host {
	idle := func(h *host) bool { return h.day < w.day }
	for w.rng.IntN(8) == 0 || !slices.ContainsFunc(w.hosts, idle) {
		w.day++
	}
	for {
		if h := w.hosts[w.rng.IntN(len(w.hosts))]; idle(h) {
			h.day = w.day
			return h
		}
	}
}

// events are what may befall a host.
var events = [...]func(h *host){
	func(h *host) {
		name := ""
		if h.w.rng.IntN(2) == 0 {
			name = fmt.Sprintf("clone%d", h.w.ids)
		}
		h.clone(name)
		if len(h.w.hosts) > most {
			h.w.hosts[h.w.rng.IntN(most)].die()
		}
	},
	func(h *host) { h.rename(fmt.Sprintf("name%d", h.w.rng.IntN(1000))) },
	func(h *host) { h.loseState() },
	func(h *host) { h.keepState() },
	func(h *host) {
		if h.copies > 0 {
			h.oldState(1 + h.w.rng.IntN(h.copies))
			return
		}
		h.keepState()
	},
	func(h *host) { h.schedule(schedule{h.w.rng.IntN(5), 1 + h.w.rng.IntN(3), 1}) },
	func(h *host) { h.schedule(schedule{h.w.rng.IntN(4), 2, 1 + h.w.rng.IntN(2)}) },
	func(h *host) {
		to := "one"
		if h.bucket == to {
			to = "two"
		}
		h.move(to)
	},
	func(h *host) {
		h.prefix, h.lost = []string{"", "%h", "shared"}[h.w.rng.IntN(3)], true
		h.w.tell("%s: prefix %q", h, h.prefix)
	},
	func(h *host) { h.clock(400 * oneDay) },
	func(h *host) { h.clock(-60 * oneDay) },
	func(h *host) {
		h.clock([]time.Duration{-3 * oneDay, -20 * time.Hour, 20 * time.Hour, 3 * oneDay}[h.w.rng.IntN(4)])
	},
	func(h *host) { h.clock(0) },
}

// befall lets the next event happen to a host. All have their turn, in an order
// that changes.
func (w *world) befall() {
	if len(w.bag) == 0 {
		w.bag = w.rng.Perm(len(events))
	}
	event := w.bag[0]
	w.bag = w.bag[1:]
	events[event](w.hosts[w.rng.IntN(len(w.hosts))])
}

// nextKill is the n-th one.
func (h *host) nextKill(n int) *kill {
	rng := h.w.rng
	some := func(names ...string) string { return names[rng.IntN(len(names))] }
	delay := time.Duration(rng.IntN(25)) * time.Millisecond
	switch n % 8 {
	case 0:
		return &kill{tool: "napback", when: unheard}
	case 1, 5:
		return &kill{tool: some("napback", "s3put", "all"), when: uploading, chunks: rng.IntN(4)}
	case 2:
		return &kill{tool: "napback", when: given}
	case 3:
		return &kill{tool: "napback", when: committed}
	case 4:
		return &kill{tool: "napback", when: retiring}
	case 6:
		return &kill{tool: "s3rm", when: retired, delay: delay}
	}
	return &kill{tool: some("napback", "tar", "zstd", "s3put", "s3ls", "all"), when: anyTime, delay: 10 * delay}
}

// anyOptions are those of an attempt that is not killed.
func (h *host) anyOptions() options {
	w, rng := h.w, h.w.rng
	o := options{force: rng.IntN(8) == 0}
	switch n := rng.IntN(12); {
	case n == 0:
		o.date = w.start.AddDate(0, 0, w.day+rng.IntN(40)-30).Format(time.DateOnly)
	case n == 1 && w.link != nil:
		o.cut = func() {
			w.link.CutAfter(int64(rng.IntN(60_000)))
			w.count["lines cut"]++
		}
	}
	return o
}

// least fails the test if too little has happened for its result to mean
// anything.
func (w *world) least(rounds int64) {
	w.t.Helper()
	share := func(what string, of int64) {
		if want := int(rounds / of); w.count[what] < want {
			w.t.Errorf("%d %s in %d rounds, want %d at least", w.count[what], what, rounds, want)
		}
	}
	share("acknowledged", 3)
	share("DIFFs", 12)
	share("FULLs", 8)
	share("restores compared", 2)
	share("kills", 10)
	share("kills with chunks stored", 40)
	share("promotions", 40)
	share("retirements", 15)
	share("clock jumps", 60)
	for _, what := range []string{"clones", "renames", "states lost", "old states", "schedules changed", "bucket moves"} {
		share(what, 150)
	}
}
