// s3rm removes archives, single runs, what other runs have superseded, and
// what was never committed.
//
// What to remove is worked out first and shown, then it is asked for, then
// each run goes: its manifest first, then its chunks, so that an interruption
// leaves an incomplete run and never a damaged archive.
package main

import (
	"runtime/debug"

	"napback/internal/cli"
)

// collectAt is the memory from which on garbage is collected at once: what a
// hostile bucket answers would else take twice its size.
const collectAt = 128 << 20

func main() {
	debug.SetMemoryLimit(collectAt)
	cli.Main("s3rm", run)
}
