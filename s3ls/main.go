// s3ls lists buckets, archives and their runs. It costs requests in
// proportion to archives, never to chunks, several at a time.
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
	cli.Main("s3ls", run)
}
