// Package run runs the jobs of configurations, one after the other, and tells how
// that went:
//
//  1. What must not be told to anybody is found out, and masked wherever it would
//     be printed or logged.
//  2. All recipients are checked, and every DiffDir is locked. If that fails
//     nothing is started, and each configuration's channels are told so.
//  3. Of each configuration the log is opened, its channels are told that it begins,
//     and its jobs run (type jobRun). Whatever happens to one, the next one runs.
//  4. The channels are told how it has ended.
//  5. The summary of all jobs is printed. The exit code is that of the worst.
package run
