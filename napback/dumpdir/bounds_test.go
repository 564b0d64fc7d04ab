package dumpdir

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"napback/internal/cli"
	"napback/internal/storetest"
	"napback/napback/tartest"
)

// What a small archive says can fill all memory when it is unpacked.
func TestWhatIsKeptOfAnArchiveIsBounded(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	// of has a directory of n entries whose names have so many bytes.
	of := func(n, bytes int) *tartest.Archive {
		var list strings.Builder
		for i := range n {
			fmt.Fprintf(&list, "Y%0*d\x00", bytes, i)
		}
		a := &tartest.Archive{}
		a.Pax(tartest.Record("GNU.dumpdir", list.String()+"\x00"))
		a.Block(tartest.Header{Name: "d/", Type: '5'})
		return a
	}
	big, long := of(maxItems+1, 7), of(maxList/1000, 1000)
	name := &tartest.Archive{}
	name.Pax(tartest.Record("path", strings.Repeat("x", 1<<20+1)))
	name.File("f", "")
	for what, c := range map[string]struct {
		archive *tartest.Archive
		lists   bool
		bad     bool // ErrTooLarge, or refused
	}{
		"entries": {big, true, true}, "entries, unseen": {big, false, false},
		"bytes": {long, true, true}, "bytes, unseen": {long, false, false},
		"a name": {name, true, true}, "a name, unseen": {name, false, true},
	} {
		seen := 0
		err := Read(bytes.NewReader(bytes.Clone(c.archive.Bytes())), c.lists, func(*Member) error { seen++; return nil })
		tooLarge := errors.Is(err, ErrTooLarge) || err != nil && strings.Contains(err.Error(), "refused: ")
		if c.bad && (!tooLarge || seen > 0) || !c.bad && (seen != 1 || tooLarge) {
			t.Errorf("%s: %d members, %v", what, seen, err)
		}
	}
}

func TestARecordThatClaimsMoreThanItsHeaderHolds(t *testing.T) {
	for _, record := range []string{"9999 path=x\n", "3 p", "12 path=xxxxx", "x path=x\n", fmt.Sprintf("%d =", 1<<62)} {
		a := &tartest.Archive{}
		a.Pax(record)
		a.File("f", "")
		if err := Read(bytes.NewReader(a.Stream()), true, func(*Member) error { return nil }); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%q: %v", record, err)
		}
	}
}
