// s3get writes an archive that s3put stored to stdout.
//
// The flow, in the terms of internal/archive: the manifest is found and
// read, then archive.Get fetches the chunks in parallel, checks each against
// the manifest and writes them in order. With --verify nothing is written;
// with --js3tream there is no manifest to check against.
package main

import "napback/internal/cli"

func main() { cli.Main("s3get", run) }
