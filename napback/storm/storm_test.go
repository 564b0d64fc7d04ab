//go:build linux

package storm

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestStorm is random: the short form, with seeds that have been seen to meet
// everything, or what make storm asks for.
func TestStorm(t *testing.T) {
	for _, kind := range stores {
		if only := os.Getenv("STORM_STORE"); only != "" && only != kind {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			rounds := number(t, "STORM_ROUNDS", 20)
			seed := number(t, "STORM_SEED", 1)
			if seed == 0 {
				seed = time.Now().UnixNano()
			}
			t.Logf("STORM_SEED=%d STORM_ROUNDS=%d STORM_STORE=%s", seed, rounds, kind)
			w := newWorld(t, kind, uint64(seed))
			w.history(rounds)
			w.restoreAll()
			for _, what := range slices.Sorted(maps.Keys(w.count)) {
				t.Logf("%5d %s", w.count[what], what)
			}
			w.least(rounds)
		})
	}
}

func number(t *testing.T, name string, otherwise int) int64 {
	text := os.Getenv(name)
	if text == "" {
		return int64(otherwise)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return n
}
