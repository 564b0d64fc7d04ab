// s3rm removes archives, single runs, what other runs have superseded, and
// what was never committed.
//
// What to remove is worked out first and shown, then it is asked for, then
// each run goes: its manifest first, then its chunks, so that an interruption
// leaves an incomplete run and never a damaged archive.
package main

import "napback/internal/cli"

func main() { cli.MainCollecting("s3rm", run) }
