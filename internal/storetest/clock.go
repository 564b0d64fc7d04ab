package storetest

import (
	"testing"
	"time"

	"napback/internal/archive"
)

// tellsTime: the store's clock is the one that dates its objects, and Get tells
// the date that List tells.
func tellsTime(t *testing.T, s archive.Store) {
	Put(t, s, "dated", []byte("x"))
	before, ok := s.Clock()
	if !ok {
		t.Fatal("the clock is not known after an answer")
	}
	body, _, err := s.Get(t.Context(), "dated")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	dated, ok := body.(archive.Dated)
	if !ok {
		t.Fatal("Get does not tell when the object was stored")
	}
	for e, err := range s.List(t.Context(), archive.Query{Prefix: "dated"}) {
		if err != nil {
			t.Fatal(err)
		}
		if !dated.Modified().Truncate(time.Second).Equal(e.Modified.Truncate(time.Second)) {
			t.Errorf("Get tells %v, List %v", dated.Modified(), e.Modified)
		}
		if d := e.Modified.Sub(before).Abs(); d > time.Minute {
			t.Errorf("an object just stored is dated %v, the clock is at %v", e.Modified, before)
		}
	}
	if after, ok := s.Clock(); !ok || after.Before(before.Add(-2*time.Second)) {
		t.Errorf("the clock goes from %v to %v", before, after)
	}
}
