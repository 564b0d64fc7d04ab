// s3put stores a stream as an archive in S3 or in a local directory.
//
// The flow, in the terms of internal/archive:
//
//  1. The command line is checked: the address, then what the flags say
//     together. Nothing has been started yet.
//  2. The producer is found: stdin, or COMMAND, which is started only once the
//     run has a name, so that a missing bucket costs nobody a dump.
//  3. The store is opened; with --create-bucket the bucket is made.
//  4. archive.Put names the run, reads the producer, uploads, and asks whether
//     the producer succeeded: COMMAND's exit status, or what --commit-fd
//     delivers, or nothing for plain stdin.
//  5. The address of the run is printed; with --json or --commit-fd before the
//     upload (print.go).
package main

import "napback/internal/cli"

func main() { cli.Main("s3put", run) }
