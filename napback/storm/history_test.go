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
	for range rounds {
		w.round()
	}
	// In the end all clocks are right and all hosts back up what they have.
	for _, h := range w.hosts {
		h.clock(0)
		h.change(3)
		h.napback(options{force: true})
	}
}

// round is what one host does; a day ends when all have had their turn, or at
// times before.
func (w *world) round() {
	rng := w.rng
	h := w.turn()
	if rng.IntN(4) == 0 {
		h.befall()
	}
	h.change(1 + rng.IntN(8))
	other := w.hosts[rng.IntN(len(w.hosts))]
	switch n := rng.IntN(20); {
	case n == 0 && other != h:
		w.together(h, other)
	case n < 9:
		h.napback(h.anyOptions())
	default:
		h.napback(options{})
	}
	if w.count["attempts"]%10 == 0 {
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

// befall lets something happen to a host.
func (h *host) befall() {
	w, rng := h.w, h.w.rng
	day := 24 * time.Hour
	switch rng.IntN(12) {
	case 0:
		if len(w.hosts) < most {
			name := ""
			if rng.IntN(2) == 0 {
				name = fmt.Sprintf("clone%d", len(w.hosts))
			}
			h.clone(name)
		}
	case 1:
		h.rename(fmt.Sprintf("name%d", rng.IntN(1000)))
	case 2:
		h.loseState()
	case 3, 4:
		if h.copies > 0 && rng.IntN(2) == 0 {
			h.oldState(1 + rng.IntN(h.copies))
		} else {
			h.keepState()
		}
	case 5:
		h.schedule(schedule{rng.IntN(4), 1 + rng.IntN(3), 1 + rng.IntN(2)})
	case 6:
		bucket := "one"
		if h.bucket == bucket {
			bucket = "two"
		}
		h.move(bucket)
	case 7:
		prefixes := []string{"", "%h", "shared"}
		h.prefix = prefixes[rng.IntN(len(prefixes))]
		w.tell("%s: prefix %q", h.id, h.prefix)
	default:
		jumps := []time.Duration{0, 0, 0, 400 * day, -3 * day, 3 * day, 60 * day, -60 * day, day}
		h.clock(jumps[rng.IntN(len(jumps))])
	}
}

// anyOptions are those of an attempt that may be disturbed.
func (h *host) anyOptions() options {
	w, rng := h.w, h.w.rng
	o := options{force: rng.IntN(3) == 0}
	tools := []string{"napback", "tar", "zstd", "s3put", "s3ls", "all", "all", "napback"}
	switch n := rng.IntN(16); {
	case n < 3:
		o.date = w.start.AddDate(0, 0, w.day+rng.IntN(40)-30).Format(time.DateOnly)
	case n < 6:
		o.kill = &kill{tool: tools[rng.IntN(len(tools))], when: anyTime, delay: time.Duration(rng.IntN(250)) * time.Millisecond}
	case n < 9:
		o.kill = &kill{tool: []string{"napback", "s3put", "all"}[rng.IntN(3)], when: uploading, chunks: rng.IntN(4)}
	case n < 15:
		whens := []string{given, unheard, committed, retiring, retired}
		when := whens[rng.IntN(len(whens))]
		o.kill = &kill{tool: "napback", when: when, delay: time.Duration(rng.IntN(30)) * time.Millisecond}
	case w.link != nil:
		o.cut = func(started <-chan struct{}) {
			<-started
			w.link.CutAfter(int64(rng.IntN(100_000)))
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
	share("DIFFs", 6)
	share("FULLs", 10)
	share("restores compared", 2)
	share("kills", 10)
	share("kills with chunks stored", 20)
	share("promotions", 60)
	share("retirements", 25)
	share("clock jumps", 20)
	share("clones", 300)
	share("renames", 100)
	share("states lost", 100)
	share("old states", 100)
	share("schedules changed", 100)
	share("bucket moves", 100)
}
