//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Before: the same, as the slots are numbered anew.
func TestAChangedScheduleBreaksNoChain(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	at := 0
	for _, fulls := range []int{2, 3, 1, 4} {
		s.configure(s.block(fmt.Sprintf("Fulls %d", fulls)))
		s.must(os.WriteFile(s.conf, []byte(strings.Replace(s.read(s.conf), "  Fulls 2\n", "", 1)), 0o600))
		for range 7 {
			s.back(0, kept, day(at))
			s.everythingRestores()
			at++
		}
	}
	s.stored(day(at - 1))
	if n := len(s.runs()); n > 16+4+8 {
		t.Errorf("%d runs are left", n)
	}
}

// Every one of the 8 slots holds a day that can be restored, on every day of a round.
func TestEverySlotCanBeRestoredAllTheTime(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 21 {
		s.back(0, kept, day(n))
		delete(kept, day(n-8))
		if n >= 11 && n <= 16 || n == 20 {
			s.allRestore(kept)
		}
		if got := len(s.runs()); got > 8+3 {
			t.Errorf("on day %d there are %d runs", n, got)
		}
	}
	s.everythingRestores()
}

// What was whole before the upload, which may take days, need not be so after it.
func TestNothingIsRetiredForAChainThatWasDamagedMeanwhile(t *testing.T) {
	s := newSite(t)
	kept := trees{}
	for n := range 11 {
		s.back(0, kept, day(n))
	}
	before := len(s.runs())
	s.fake("tar", fmt.Sprintf(`[ "$1" = --version ] || rm -f %s/bk/job-0-FULL:%s:0000000000000; exec "$REAL" "$@"`, s.store, s.record().Current.Chain))
	s.back(0, kept, day(11)) // the last of its round: the chain of day 0 would go
	if got := len(s.runs()); got != before+1 {
		t.Errorf("%d runs; want %d", got, before+1)
	}
	for n := 8; n < 12; n++ {
		delete(kept, day(n))
	}
	s.allRestore(kept)
}
