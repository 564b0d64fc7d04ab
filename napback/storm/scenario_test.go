//go:build linux

package storm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
)

const oneDay = 24 * time.Hour

// everywhere runs a history on both stores, and asks for everything in the end.
func everywhere(t *testing.T, history func(w *world)) {
	for _, kind := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, kind, 1)
			w.align()
			history(w)
			w.restoreAll()
		})
	}
}

// align goes to a day on which a round of 8 or 12 slots begins.
func (w *world) align() {
	for w.start.Unix()/86400%24 != 0 {
		w.start = w.start.AddDate(0, 0, 1)
	}
}

// days lets hosts back up changed sources for n days, and returns the last
// attempt of the last host.
func (w *world) days(n int, hosts ...*host) (last *attempt) {
	w.t.Helper()
	for range n {
		for _, h := range hosts {
			h.change(4)
			last = h.napback(options{})
		}
		w.day++
	}
	return last
}

// wantNewest checks what napback restores of a host when it is not told of what
// time.
func (w *world) wantNewest(h *host, want *attempt) {
	w.t.Helper()
	got := w.newest(h)
	if got == nil {
		w.fault("%s: its newest archive cannot be restored", h)
	} else if got != want {
		w.fault("%s: restore brings attempt %d, not %d", h, got.number, want.number)
	}
}

func TestADateInThePastTakesNothingAway(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(7, h)
		for back := range 8 {
			h.change(2)
			h.napback(options{date: w.start.AddDate(0, 0, w.day-30-back).Format(time.DateOnly), force: back%2 == 0})
		}
		w.days(3, h)
	})
}

func TestAClockThatGoesBackTakesNothingAway(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(7, h)
		h.clock(-30 * oneDay)
		w.days(4, h)
		h.clock(0)
		w.days(2, h)
	})
}

func TestAChangedScheduleTakesNothingAway(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		for _, s := range []schedule{{3, 2, 1}, {3, 3, 1}, {5, 2, 1}, {1, 2, 1}, {3, 2, 2}} {
			h.schedule(s)
			w.days(5, h)
		}
	})
}

// Every slot's restore point lives until its slot is used again, although the
// FULL that it builds on has an earlier slot.
func TestEverySlotLivesItsFullTime(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(15, h)
		now := w.objects()
		points := 0
		for _, c := range w.sorted() {
			if w.chain(c, now) != nil {
				points++
			}
		}
		if slots := h.plan.slots(); points < slots || points > 2*slots {
			w.fault("%d restore points of %d slots", points, slots)
		}
	})
}

func TestAnotherBucketIsAnotherState(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		if w.server != nil {
			w.createOnly("one", "two")
		}
		w.days(3, h)
		h.move("two")
		w.days(3, h)
		for range 3 { // as two configurations on one DiffDir would
			for _, bucket := range []string{"one", "two"} {
				h.move(bucket)
				h.change(2)
				h.napback(options{})
			}
			w.day++
		}
	})
}

// createOnly lets the hosts store objects and nothing else.
func (w *world) createOnly(buckets ...string) {
	w.t.Helper()
	for _, bucket := range buckets {
		w.keys[bucket] = w.server.User(w.t, bucket, "s3:PutObject").KeyFile(w.t)
	}
}

func TestTwoHostsAtOnceKeepBoth(t *testing.T) {
	everywhere(t, func(w *world) {
		alpha, beta := w.addHost("alpha", ""), w.addHost("beta", "")
		for range 6 {
			alpha.change(3)
			beta.change(3)
			w.together(alpha, beta)
			w.day++
		}
	})
}

func TestARenamedHostGoesOn(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(5, h)
		h.rename("omega")
		w.wantNewest(h, w.days(9, h))
		h.loseState()
		w.wantNewest(h, w.days(5, h))
	})
}

func TestTwoConfigurationsWithOneNameStoreBoth(t *testing.T) {
	everywhere(t, func(w *world) {
		first, second := w.addHost("alpha", ""), w.addHost("alpha", "")
		second.machine = first.machine
		for range 6 {
			w.together(first)
			w.together(second)
			w.day++
		}
	})
}

func TestAClonedHostAndItsOriginKeepBoth(t *testing.T) {
	everywhere(t, func(w *world) {
		alpha := w.addHost("alpha", "")
		w.days(5, alpha)
		for _, name := range []string{"beta", ""} {
			w.days(5, alpha, alpha.clone(name))
		}
	})
}

func TestAnOldStateIsNotFollowed(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(2, h)
		h.keepState()
		w.days(3, h)
		h.oldState(1)
		if a := w.days(1, h); a.code != 3 || len(a.made) != 1 || a.made[0].kind != "FULL" {
			w.fault("%s: exit %d: want a FULL, and a warning", h, a.code)
		}
		w.wantNewest(h, w.days(4, h))
	})
}

func TestAClockThatWasAheadIsNotFollowed(t *testing.T) {
	everywhere(t, func(w *world) {
		h := w.addHost("alpha", "")
		w.days(6, h)
		h.clock(400 * oneDay)
		w.days(1, h)
		h.clock(0)
		w.wantNewest(h, w.days(3, h))
		w.wantNewest(h, w.days(5, h))
		if w.server == nil {
			w.day += 10
			if out, err := h.ask("status"); err == nil {
				w.fault("status is content after ten days without a backup:\n%s", out)
			}
		}
	})
}

// plant writes an object that none of our tools has made.
func (w *world) plant(bucket, key string, content []byte) {
	path := filepath.Join(w.raw, bucket, key)
	w.must(os.MkdirAll(filepath.Dir(path), 0o755))
	w.must(os.WriteFile(path, content, 0o644))
	when := time.Now().Add(w.ahead())
	w.must(os.Chtimes(path, when, when))
}

// forge plants an empty archive that is whole.
func (w *world) forge(name, run, date, kind string, slot int) {
	sum := sha256.Sum256(nil)
	at, err := time.Parse("20060102T150405Z", run[:16])
	w.must(err)
	data, err := json.Marshal(map[string]any{
		"format": "napback-archive/1", "name": name, "run": run, "host": "alpha", "created": at, "committed": at,
		"tool": "s3put", "bytes": 0, "chunk_bytes": 5000, "chunks": 0, "sums": fmt.Sprintf("%x", sum),
		"meta": map[string]string{"job": "job", "source": "Directory " + filepath.Join(w.place(), "src"), "type": kind,
			"slot": fmt.Sprint(slot), "date": date, "compression": "zstd", "unpack": "tar"},
	})
	w.must(err)
	w.planted["one:"+name+":"+run] = true
	w.plant("one", name+":"+run+":SHA256SUMS", nil)
	w.plant("one", name+":"+run+":manifest", data)
}

func TestAPlantedKeyIsNotFollowed(t *testing.T) {
	w := newWorld(t, "dir", 1)
	w.align()
	h := w.addHost("alpha", "")
	w.days(1, h)
	for slot := range h.plan.slots() {
		for _, kind := range []string{"FULL", "DIFF"} {
			w.plant("one", fmt.Sprintf("job-%d-%s:99991231T235959Z-aaaa:0000000000000", slot, kind), []byte("x"))
		}
	}
	w.wantNewest(h, w.days(10, h))
	w.restoreAll()
}

func TestAPlantedManifestDoesNotMakeADayDone(t *testing.T) {
	w := newWorld(t, "dir", 1)
	w.align()
	h := w.addHost("alpha", "")
	for range 6 {
		w.forge(fmt.Sprintf("job-%d-FULL", w.day), time.Now().UTC().Add(w.ahead()-time.Hour).Format("20060102T150405Z")+"-aaaa", w.date(), "FULL", w.day)
		if a := w.days(1, h); !a.acknowledged() {
			w.fault("%s: exit %d, %q", h, a.code, a.outcome)
		}
	}
	w.restoreAll()
}

func TestForgedRunsOfTheFutureSupersedeNothing(t *testing.T) {
	w := newWorld(t, "dir", 1)
	w.align()
	h := w.addHost("alpha", "")
	w.days(8, h)
	for _, c := range w.sorted() {
		w.forge(c.name, "20990101T000000Z-aaaa", "2099-01-01", c.kind, c.slot)
	}
	_, err := w.tool("s3rm", "-y", "--superseded", "one")
	w.tell("s3rm --superseded: %v", err)
	w.keepsPromises(w.objects())
	w.days(4, h)
	w.restoreAll()
}

// onTheLine puts a proxy between the hosts and the server.
func onTheLine(t *testing.T) (*world, *storetest.Proxy) {
	w := newWorld(t, "s3", 1)
	w.align()
	proxy := storetest.NewProxy(t, w.server.Endpoint)
	w.via = proxy.URL
	return w, proxy
}

func isManifest(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ":manifest")
}

func TestChunksRemovedBeforeTheManifestAreNoBackup(t *testing.T) {
	w, proxy := onTheLine(t)
	h := w.addHost("alpha", "")
	w.days(2, h)
	removed := false
	proxy.Inject(storetest.Fault{Match: func(r *http.Request) bool {
		if isManifest(r) && !removed {
			removed = true
			_, err := w.tool("s3rm", "-y", "--incomplete", "--older-than", "0s", "one")
			w.tell("s3rm --incomplete of another machine: %v", err)
		}
		return false
	}, Status: http.StatusTeapot})
	h.change(3)
	h.napback(options{force: true, hurt: true})
	if !removed {
		t.Error("the moment never came")
	}
	w.days(4, h)
	w.restoreAll()
}

func TestALostAnswerToTheCommitTakesNothingAway(t *testing.T) {
	w, proxy := onTheLine(t)
	h := w.addHost("alpha", "")
	w.days(2, h)
	proxy.Inject(storetest.Fault{Match: isManifest, Times: 1, Lose: true})
	proxy.Inject(storetest.Fault{Match: isManifest, Times: 1, Status: http.StatusForbidden, Code: "AccessDenied"})
	h.change(3)
	h.napback(options{hurt: true})
	w.day++
	w.days(5, h)
	w.restoreAll()
}

func TestADamagedChainIsNotBuiltOn(t *testing.T) {
	for _, object := range []string{":manifest", ":0000000000000"} {
		t.Run(object[1:], func(t *testing.T) {
			w := newWorld(t, "dir", 1)
			w.align()
			h := w.addHost("alpha", "")
			w.days(2, h)
			full := w.sorted()[0]
			path := filepath.Join(w.raw, full.bucket, full.name+":"+full.run+object)
			if object == ":manifest" {
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				w.must(err)
				_, err = f.WriteAt([]byte("##"), 20)
				w.must(err)
				w.must(f.Close())
			} else {
				w.must(os.Remove(path))
			}
			w.tell("damaged %s%s", full.address(), object)
			for _, c := range w.sorted() {
				c.acked = false // what was damaged, or builds on it, is lost
			}
			if a := w.days(1, h); len(a.made) != 1 || a.made[0].kind != "FULL" {
				w.fault("%s: exit %d, %q: a FULL is wanted", h, a.code, a.outcome)
			}
			w.wantNewest(h, w.days(1, h))
		})
	}
}
