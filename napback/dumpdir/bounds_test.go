package dumpdir

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/napback/tartest"
)

// What a small archive says can fill all memory when it is unpacked.
func TestWhatIsKeptOfAnArchiveIsBounded(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	big := &tartest.Archive{}
	big.Pax(tartest.Record("GNU.dumpdir", strings.Repeat("Yx\x00", maxItems+1)+"\x00"))
	big.Block(tartest.Header{Name: "d/", Type: '5'})
	long := &tartest.Archive{}
	long.Pax(tartest.Record("GNU.dumpdir", "Y"+strings.Repeat("x", maxList)+"\x00\x00"))
	long.Block(tartest.Header{Name: "d/", Type: '5'})
	name := &tartest.Archive{}
	name.Pax(tartest.Record("path", strings.Repeat("x", maxValue+1)))
	name.File("f", "")
	for what, c := range map[string]struct {
		archive *tartest.Archive
		lists   bool
		bad     bool
	}{
		"entries": {big, true, true}, "entries, unseen": {big, false, false},
		"bytes": {long, true, true}, "bytes, unseen": {long, false, false},
		"a name": {name, true, true}, "a name, unseen": {name, false, true},
	} {
		seen := 0
		err := Read(bytes.NewReader(bytes.Clone(c.archive.Bytes())), c.lists, func(*Member) error { seen++; return nil })
		if c.bad && (!errors.Is(err, ErrTooLarge) || seen > 0) || !c.bad && (seen != 1 || errors.Is(err, ErrTooLarge)) {
			t.Errorf("%s: %d members, %v", what, seen, err)
		}
	}
}

func TestARecordThatClaimsMoreThanItsHeaderHolds(t *testing.T) {
	for _, record := range []string{"9999 path=x\n", "3 p", "12 path=xxxxx", "x path=x\n", fmt.Sprintf("%d =", 1<<62)} {
		a := &tartest.Archive{}
		a.Pax(record)
		a.File("f", "")
		if err := Read(bytes.NewReader(a.Stream()), true, func(*Member) error { return nil }); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", record, err)
		}
	}
}
