// Package catalog decides, from a listing of a bucket alone, what can be
// restored: which archives belong to a job, which chain of archives brings
// back its state at a moment, and what is missing if none does.
//
// It is pure: it reads the output of `s3ls --json -r`, and neither asks a clock
// nor keeps state, so that a restore works on a machine that knows nothing but
// the bucket.
//
// The way from a listing to a chain:
//
//  1. Read parses the listing.
//  2. OfJob keeps the committed archives whose manifest names the job and that
//     one owner stored of one source: increments of two owners do not fit
//     together. If it cannot tell whose are meant, it does not guess.
//  3. Points follows each archive back through its parents to its FULL.
//  4. At picks the newest point that is not after the moment. If its chain has
//     a missing link, that is an error: to restore what happens to be there
//     would bring back a state that never was.
package catalog
