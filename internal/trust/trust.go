// Package trust tells whether somebody else could have written what a program
// is about to obey: its configuration, its hooks, its keyrings, its state. It
// also reads the files of secrets, which nobody else may read either.
//
// The rule is that of OpenSSH, sudo and cron. A file, the directories on its
// path up to /, and the symbolic links on the way (the directories of a link as well as
// those of its target) must
//
//   - belong to root, to the running user, or to whom / belongs to, as in a
//     container, where that may be somebody else;
//   - not be writable by everyone;
//   - when root runs the program, not be writable by a group other than root's
//     (gid 0). Others may share files with a group: it is their choice, and on
//     many systems each user's own.
//
// Only directories above may be writable nevertheless, if they are sticky as
// /tmp is: there nobody can replace what belongs to another. What is in /proc/PID/fd
// (/dev/stdin, a shell's <(command)) has been given by whoever started the
// program. On Windows everything is trusted.
//
// Only what stat says counts, as on a file system of the network. What the rule allows cannot be
// exchanged by others afterwards, so a check before a file is opened by its
// name is enough.
package trust

import (
	"errors"
	"fmt"

	"napback/internal/cli"
)

// Error says what others could have written, and how that is mended. The errors
// of this package that are about trust wrap one, with the exit code cli.Usage
// and Mend as their hint; all others are those of the file system, and nothing is
// said about trust then.
type Error struct {
	Path   string // of what is wrong, perhaps a directory above the one asked about
	Reason string // what is wrong with it
	Mend   string // the command that mends it, or what else to do
}

func (e *Error) Error() string { return fmt.Sprintf("%q %s", e.Path, e.Reason) }

// refuse makes the error of this package.
func refuse(path, reason, mend string) error {
	return cli.WithCode(cli.Usage, cli.WithHint(&Error{path, reason, mend}, "%s", mend))
}

// Refusal returns the Error that err wraps, or nil if err is nil or about
// something else than trust, such as a file that is not there.
func Refusal(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// File checks a file that is read or run and obeyed.
func File(path string) error { return current().file(path) }

// Dir checks a directory whose files are obeyed and replaced, and the files in it. Nobody else
// may make files there, so it must not be writable even if it is sticky.
func Dir(path string) error { return current().directory(path) }

// Way checks the way to something, whoever may write that itself, and returns where it
// leads: a path without symbolic links. Nobody else can make it lead elsewhere.
func Way(path string) (string, error) { return current().way(path) }

// Temp checks a directory for new files of random names: it may be sticky.
func Temp(path string) error { return current().temp(path) }

// Log checks a file that is appended to, made anew and renamed; neither it nor its
// directory need be there. Nobody else may make files where it is, or is to be. Distributions let their own groups write to
// /var/log, so a directory that belongs to root may be writable by a system's
// group (gid below 1000, but not 100, which are the users); symbolic links in
// such a directory are refused.
func Log(path string) error { return current().log(path) }
