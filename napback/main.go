// napback backs up what a configuration file names, on a schedule of FULL and
// incremental archives, by composing tar, a compressor, pgpipe and s3put. See
// napback(1) for its use and package backup for the steps of a job.
package main

import "napback/internal/cli"

func main() { cli.Main("napback", napback) }
