// Package runas makes a process that of another user, for good: what a database
// lets in by the name of its system user can then be backed up by root, without
// sudo and without a password.
//
// Exec does, in this order:
//
//  1. It gives up the terminal, so that the user cannot type into it for root, and
//     the kernel's keys of the session.
//  2. It leaves the program no file but stdin, stdout and stderr, and the root
//     directory to stand in: root's own may be closed to the user.
//  3. It takes the user's groups, its primary group and its id, real, effective
//     and saved, and looks that there is no way back.
//  4. It becomes the program, with an environment that holds nothing of root's but
//     where programs and libraries are, and the time zone.
//
// Users and groups are those of /etc/passwd and /etc/group. Only root can become
// somebody else.
package runas

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"napback/internal/cli"
	"napback/napback/chain"
)

// CannotRun is the exit status of who could not become the user, or the program.
// It is that of shells, nice and ionice, and no program's own.
const CannotRun = 126

// Account is a user as a process has it.
type Account struct {
	Name   string
	Home   string
	UID    int
	GID    int
	Groups []int // all of them
}

// Find finds a user, and tells whether this process could become it.
func Find(name string) (Account, error) {
	u, err := user.Lookup(name)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		return Account{}, cli.WithHint(fmt.Errorf("RunAs %q: this host has no such user", name),
			"name a user of /etc/passwd; others, as of a directory service, cannot be used")
	}
	if err != nil {
		return Account{}, fmt.Errorf("RunAs %q: %w", name, err)
	}
	a := Account{Name: u.Username, Home: u.HomeDir}
	groups, err := u.GroupIds()
	if err == nil {
		a.UID, err = strconv.Atoi(u.Uid)
	}
	if err == nil {
		a.GID, err = strconv.Atoi(u.Gid)
	}
	for i := 0; err == nil && i < len(groups); i++ {
		var id int
		id, err = strconv.Atoi(groups[i])
		a.Groups = append(a.Groups, id)
	}
	if err != nil {
		return Account{}, fmt.Errorf("RunAs %q: %w", name, err)
	}
	if self := os.Geteuid(); self != 0 && self != a.UID {
		return Account{}, cli.WithHint(fmt.Errorf("RunAs %q: only root can run programs as another user", name),
			"run napback as root, or as %s without RunAs", name)
	}
	return a, nil
}

// kept is what the user gets of the environment.
var kept = []string{"PATH", "TZ", "TZDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}

// Environ is the environment of the user's programs, made from base: nothing that
// may be a secret, and no directory of who runs napback.
func (a Account) Environ(base []string) []string {
	return append(chain.Only(base, kept...), "HOME="+a.Home, "USER="+a.Name, "LOGNAME="+a.Name, "SHELL=/bin/sh")
}
