package dump

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"napback/napback/source"
)

// postgresOptions is the directive of arguments for the dump program.
const postgresOptions = "PostgreSQLOptions"

// PostgreSQLKind is the kind of databases of PostgreSQL.
func PostgreSQLKind() source.Kind {
	return source.Kind{
		Name:    "PostgreSQL",
		Options: []source.Option{{Name: postgresOptions, Form: source.Arguments, Repeat: true, Check: CheckPostgreSQLOption}, source.RunAs()},
		Clean: func(argument string) (string, error) {
			user, database, found := strings.Cut(argument, "@")
			if !found {
				return argument, checkDatabase(argument)
			}
			return argument, errors.Join(checkDatabase(user), checkDatabase(database))
		},
		Same: func(a, b string) bool { return ParsePostgreSQL(a, nil).Database == ParsePostgreSQL(b, nil).Database },
		Open: func(_ context.Context, host source.Host, job source.Job) (source.Source, error) {
			p := ParsePostgreSQL(job.Source, job.Options[postgresOptions])
			p.As = job.Options.RunAs()
			d, err := newDatabase(host, job, p, p.format())
			if err != nil {
				return nil, err
			}
			d.passwords, d.unpack, d.rehearsal = ".pgpass", "psql -d postgres", postgresRehearsal
			return d, nil
		},
		Whole:    wholeSQL(func(of string) Format { return ParsePostgreSQL(of, nil).format() }),
		LoadsAs:  checkOther,
		Connects: postgresOptions,
		Load:     loadPostgreSQL,
		Try:      tryPostgreSQL,
	}
}

// format is what a dump looks like.
func (p PostgreSQL) format() Format {
	if p.Database == All {
		return FormatPostgreSQLAll
	}
	return FormatPostgreSQL
}

// PostgreSQL is a database of a PostgreSQL server, or the server with all of its
// databases, roles and tablespaces.
type PostgreSQL struct {
	User     string // "" = as libpq finds it
	Database string // or All
	Options  []string
	As       string // the user of the system who asks; "" is who runs napback
}

// ParsePostgreSQL takes a source apart: DATABASE, all, USER@DATABASE or
// USER@all.
func ParsePostgreSQL(source string, options []string) PostgreSQL {
	if user, database, ok := strings.Cut(source, "@"); ok {
		return PostgreSQL{User: user, Database: database, Options: options}
	}
	return PostgreSQL{Database: source, Options: options}
}

// postgresEnv are the variables of libpq.
var postgresEnv = []string{"PG*"}

// Dump is the command that writes the dump, which is SQL, to stdout. It sees one
// moment of a database and blocks nobody; pg_dumpall sees one for each.
func (p PostgreSQL) Dump() Command {
	program, args := "pg_dump", append([]string{"--no-password"}, p.options()...)
	if p.Database == All {
		program = "pg_dumpall"
	} else {
		args = append(args, "--create", database(p.Database))
	}
	return Command{[]string{program}, args, postgresEnv, p.As}
}

// Load is the command that reads a dump from stdin and stops at the first error.
// The dump creates its databases itself; this connects to one that every server
// has.
func (p PostgreSQL) Load() Command {
	args := []string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"}
	return p.client(args)
}

// Present is the command that prints, one a line, the databases that a load
// would meet.
func (p PostgreSQL) Present() Command {
	where := "datname NOT IN ('postgres', 'template0', 'template1')"
	if p.Database != All {
		where = "datname = '" + strings.ReplaceAll(p.Database, "'", "''") + "'"
	}
	return p.query("SELECT datname FROM pg_database WHERE " + where)
}

// Made is Present: a database that is empty is there, too.
func (p PostgreSQL) Made() Command { return p.Present() }

// Who is the command that prints who the server is, as psql knows it.
func (p PostgreSQL) Who() Command {
	return p.client([]string{"--no-psqlrc", `--command=\echo PostgreSQL :SERVER_VERSION_NAME at :HOST, port :PORT, as :USER`})
}

// RoleNames is the command that prints the names of all roles, one a line, in UTF-8 as
// hex digits.
func (p PostgreSQL) RoleNames() Command {
	return p.query("SELECT encode(convert_to(rolname, 'UTF8'), 'hex') FROM pg_roles")
}

func (p PostgreSQL) query(sql string) Command {
	return p.client([]string{"--no-psqlrc", "--no-align", "--tuples-only", "--command=" + sql})
}

func (p PostgreSQL) client(args []string) Command {
	args = append(args, "--no-password")
	args = append(args, p.connection()...)
	return Command{[]string{"psql"}, append(args, database("postgres")), postgresEnv, p.As}
}

// connection is what of the options tells how to reach the server.
func (p PostgreSQL) connection() []string {
	return connection(p.options(), []string{"--host", "--port", "--username"}, "hpU")
}

func (p PostgreSQL) options() []string {
	all := slices.Clone(p.Options)
	if p.User != "" {
		all = append(all, "--username="+p.User)
	}
	return all
}

// database names a database for libpq. A name with = would be taken for a
// connection string, so it becomes one.
func database(name string) string {
	if strings.ContainsRune(name, '=') {
		name = "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'"
	}
	return "--dbname=" + name
}

// CheckPostgreSQLOption refuses what would ask for a password, show one to
// everyone who can run ps, or break the chain that the dump is part of.
func CheckPostgreSQLOption(word string) error {
	name, _, _ := strings.Cut(word, "=")
	const taking = "EnNStThpUlZjF"
	switch {
	case strings.HasPrefix("--password", name) && len(name) > len("--p"), shortFlag(word, 'W', taking):
		return fmt.Errorf("%s would ask for a password: write it into .pgpass", name)
	case strings.HasPrefix(name, "--dbname"), shortFlag(word, 'd', taking):
		return errors.New("the database is the job's; name the server with --host, --port and --username, or by libpq's variables")
	case slices.Contains([]string{"--file", "--format", "--jobs", "--compress"}, name),
		shortFlag(word, 'f', taking+"d"), shortFlag(word, 'F', "EnNStThpUlZjfd"), shortFlag(word, 'j', "EnNStThpUlZFfd"), shortFlag(word, 'Z', "EnNStThpUljFfd"):
		return fmt.Errorf("%s would break the chain that the dump is part of", name)
	}
	return nil
}
