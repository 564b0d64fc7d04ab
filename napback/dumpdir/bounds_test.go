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
	const refused = "refused: " // by the guard's reader
	large := ErrTooLarge.Error()
	for what, c := range map[string]struct {
		archive *tartest.Archive
		lists   bool
		want    string // part of the error; "" if the archive is read
	}{
		"entries": {big, true, large}, "entries, unseen": {big, false, ""},
		"bytes": {long, true, large}, "bytes, unseen": {long, false, ""},
		"a name": {name, true, refused}, "a name, unseen": {name, false, refused},
	} {
		seen := 0
		err := Read(bytes.NewReader(bytes.Clone(c.archive.Bytes())), c.lists, func(*Member) error { seen++; return nil })
		if c.want == large && !errors.Is(err, ErrTooLarge) || c.want != "" && (seen > 0 || err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %d members, %v", what, seen, err)
		}
		if c.want == "" && (seen != 1 || errors.Is(err, ErrTooLarge) || err != nil && strings.Contains(err.Error(), refused)) {
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
