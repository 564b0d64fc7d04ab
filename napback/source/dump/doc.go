// Package dump knows how databases and repositories are dumped to a stream and
// loaded from one, and how to see that a dump is whole.
//
// It builds command lines and runs nothing. None of them holds a password, and
// none of the programs may ask for one: passwords come from the files that the
// databases' own clients read (.my.cnf, .pgpass) or from their environment.
//
//	source                dumped by                     loaded by
//	MySQL, MariaDB        mariadb-dump, mysqldump       mariadb, mysql
//	PostgreSQL, one       pg_dump --create              SafeSQL | psql
//	PostgreSQL, all       pg_dumpall                    OnceRoles | SafeSQL | psql
//	Subversion            svnadmin dump                 svnadmin load
//
// A dump of one database is loaded under another name by way of RenameMySQL or
// SafeSQL, and Roles finds out before which roles of PostgreSQL it needs.
//
// A dump of one database creates that database too, so that any of them can be
// loaded into an empty server.
//
// That a dump program ends well does not mean that its output is whole: it may
// be a wrapper that hides a failure. So the stream passes through Copy, which
// fails unless it ends as a dump does.
package dump

import (
	"os/user"
	"slices"
	"strings"

	"napback/napback/chain"
)

// Command is a program with its arguments.
type Command struct {
	Programs []string // names, of which the first that is installed will do
	Args     []string
	Keep     []string // what it may have of the environment; see chain.Environ
	As       string   // the user who runs it; "" is who runs napback
}

// Environ returns a command's environment, made from base. Option and password
// files are looked for in HOME, which some crons set to / and services do not
// have; it is then the account's.
func (c Command) Environ(base []string) []string {
	env := chain.Environ(base, c.Keep...)
	i := slices.IndexFunc(env, func(entry string) bool { return strings.HasPrefix(entry, "HOME=") })
	if i >= 0 && env[i] != "HOME=" && env[i] != "HOME=/" {
		return env
	}
	account, err := user.Current()
	if err != nil || account.HomeDir == "" {
		return env
	}
	if i >= 0 {
		env = slices.Delete(env, i, i+1)
	}
	return append(env, "HOME="+account.HomeDir)
}

// All is the name that stands for all databases of a server.
const All = "all"
