// Package confine makes the rest of a process's life a read-only one, but for
// one directory: a program that is fooled by what it reads can then write
// nowhere else. It uses Landlock (Linux 5.19 or later, if the kernel was booted
// with it), by go-landlock.
//
// Below that directory everything can be made, removed, renamed and linked; all
// else can be read and run, and /dev/null be written. What Landlock does not
// restrict is changing the mode, owner, times and extended attributes of a file
// that can be named.
package confine

import "errors"

// ErrUnsupported tells that this system cannot confine a process.
var ErrUnsupported = errors.New("the kernel has no Landlock of ABI 2 or later")

// minABI is the first that knows moving and linking between directories.
const minABI = 2
