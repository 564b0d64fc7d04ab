// Package jobs tells which job a word on the command line means, and which archives
// are that job's:
//
//  1. A word is the archive name of a configured job, or its source (Find). What
//     no configuration has any more is found by its name in their buckets.
//  2. Of the archives of that name those of one owner are meant: who is asked
//     for, or this machine's DiffDir (Choice).
//  3. The archive of a moment, with the chain that it ends, is the newest that is
//     not after it (Point).
//  4. What its manifest says is believed as far as the configuration says the
//     same (Trust, Placed): whoever can write to the bucket can write manifests.
package jobs
