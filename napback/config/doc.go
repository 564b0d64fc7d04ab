// Package config reads napback's configuration: napback.conf(5).
//
// It goes through these steps, and reports everything that is wrong with the
// file and the files that it includes at once, each as FILE:LINE: reason:
//
//  1. scan cuts a file into logical lines of words: quotes, comments and
//     continued lines (scan.go).
//  2. the parser makes a tree of scopes from the lines: the file, its Cycle
//     blocks, the blocks of sources; Include reads other files into the scope
//     that it stands in (parse.go, include.go).
//  3. each scope's directives are applied to a copy of the settings of the
//     scope around it. Where in its scope a directive stands does not matter
//     (directives.go lists them all, values.go reads their values).
//  4. each source becomes a Job with a name of its own and a checked schedule
//     (jobs.go, names.go).
//
// Nothing outside the configuration files is looked at: whether directories,
// keys, databases and buckets exist is for the engine to find out, so that a
// configuration can be tested on another machine.
package config
