package catalog

import (
	"testing"

	"napback/internal/slot"
)

func TestOnlyOurOwnArchiveNamesAreTaken(t *testing.T) {
	for name, want := range map[string]struct {
		number int64
		kind   slot.Type
		ok     bool
	}{
		"home-3-DIFF": {3, slot.Diff, true}, "home-12-FULL": {12, slot.Full, true}, "home--3-FULL": {-3, slot.Full, true},
		"home-2-3-DIFF": {}, "home-x-DIFF": {}, "home-03-DIFF": {}, "home-3-diff": {}, "home-3": {}, "homes-3-DIFF": {}, "home-3-DIFF/x": {}, "": {},
	} {
		if number, kind, ok := SplitName(name, "home"); ok != want.ok || ok && (number != want.number || kind != want.kind) {
			t.Errorf("SplitName(%q) = %d, %s, %v", name, number, kind, ok)
		}
	}
}
