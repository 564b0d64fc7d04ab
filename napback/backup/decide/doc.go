// Package decide decides what a job does on a day: whether it is due or done, which
// slot it stores to, FULL or DIFF and on what, which archives may go, and who the
// job is among those that store under its name.
//
// It is pure. It takes what the bucket holds (package catalog), the state of the job
// and a date, and returns a plan that can be printed and tested as a table. It asks
// no store, no clock and no source; package backup does, and carries the plan out.
//
// What of the bucket counts, and what does not:
//
//   - The bucket alone never makes a day done: anybody may have stored what it holds.
//   - A run whose time cannot be true is never followed, and no reason to remove or
//     to refuse another.
//   - Only what is whole is built on, or takes the place of others.
//   - What others have stored under the job's name is told, and never removed.
package decide

import "time"

// MaxSkew is how far the clocks of a host and of a store may differ. Beyond it one
// of them is wrong, and the store's counts.
const MaxSkew = 24 * time.Hour

// TokenMeta is the field of a manifest's meta that tells a Point's Token.
const TokenMeta = "token"
