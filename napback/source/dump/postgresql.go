package dump

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
)

// postgresOptions is the directive of arguments for the dump program.
const postgresOptions = "PostgreSQLOptions"

// PostgreSQLKind is the kind of databases of PostgreSQL.
func PostgreSQLKind() source.Kind {
	return source.Kind{
		Name:    "PostgreSQL",
		Options: []source.Option{{Name: postgresOptions, Form: source.Arguments, Repeat: true, Check: CheckPostgreSQLOption}},
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
			d, err := newDatabase(host, job, p, p.format())
			if err != nil {
				return nil, err
			}
			d.passwords, d.unpack, d.rehearsal = ".pgpass", "psql -d postgres", postgresRehearsal
			return d, nil
		},
		Whole: wholeSQL(func(of string) Format { return ParsePostgreSQL(of, nil).format() }),
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			p := ParsePostgreSQL(load.Source, load.Options[postgresOptions])
			return &postgresLoader{serverLoader{host, p, noRole,
				"the dump of one database has no roles: create them, or restore the job of all databases"}, p, load.Signed}, nil
		},
		Try: tryPostgreSQL,
	}
}

// format is what a dump looks like.
func (p PostgreSQL) format() Format {
	if p.Database == All {
		return FormatPostgreSQLAll
	}
	return FormatPostgreSQL
}

// postgresLoader loads a dump into a server.
type postgresLoader struct {
	serverLoader
	client PostgreSQL
	signed bool
}

// Stages look through the dump before psql sees it.
func (l *postgresLoader) Stages(ctx context.Context) ([]chain.Stage, error) {
	client, err := l.serverLoader.Stages(ctx)
	if err != nil {
		return nil, err
	}
	version, err := ask(ctx, l.Host, l.client.Version())
	if err != nil {
		return nil, err
	}
	var args []string
	switch {
	case l.client.Restricts(version):
		args = append(args, "--restrict")
	case l.signed:
		l.Note("psql is too old to be told to obey no commands of the dump; napback looks for them, but update it")
	default:
		// Where a statement, a quote or a comment ends is not the same to all
		// psqls, and depends on settings: who only reads along can be fooled.
		return nil, cli.WithHint(errors.New("psql is too old to be told to obey no commands of a dump: one from somebody else could run programs"),
			"update psql (13.22, 14.19, 15.14, 16.10, 17.6 or later); or, if you trust the bucket, load what restore writes to stdout by hand")
	}
	look, err := l.Kit.Hidden(programs.SQL, args...)
	if err != nil {
		return nil, err
	}
	stages := append([]chain.Stage{look}, client...)
	if l.client.format() == FormatPostgreSQLAll {
		once, err := l.Kit.Hidden(programs.Roles)
		return append([]chain.Stage{once}, stages...), err
	}
	return stages, nil
}

// PostgreSQL is a database of a PostgreSQL server, or the server with all of its
// databases, roles and tablespaces.
type PostgreSQL struct {
	User     string // "" = as libpq finds it
	Database string // or All
	Options  []string
}

// ParsePostgreSQL takes a source apart: DATABASE, all, USER@DATABASE or
// USER@all.
func ParsePostgreSQL(source string, options []string) PostgreSQL {
	if user, database, ok := strings.Cut(source, "@"); ok {
		return PostgreSQL{user, database, options}
	}
	return PostgreSQL{"", source, options}
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
	return Command{[]string{program}, args, postgresEnv}
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
	return p.client([]string{"--no-psqlrc", "--no-align", "--tuples-only", "--command=SELECT datname FROM pg_database WHERE " + where})
}

func (p PostgreSQL) client(args []string) Command {
	args = append(args, "--no-password")
	args = append(args, connection(p.options(), []string{"--host", "--port", "--username"}, "hpU")...)
	return Command{[]string{"psql"}, append(args, database("postgres")), postgresEnv}
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

// Version is the command that prints the client's version.
func (p PostgreSQL) Version() Command {
	return Command{[]string{"psql"}, []string{"--version"}, postgresEnv}
}

// noRole matches how psql says that a role is missing.
var noRole = regexp.MustCompile(`(?s)role .*does not exist`)

var psqlVersion = regexp.MustCompile(`^psql \(PostgreSQL\) ([0-9]+)\.([0-9]+)`)

// Restricts reports whether a client of this version knows \restrict.
func (p PostgreSQL) Restricts(version string) bool {
	m := psqlVersion.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	first := map[int]int{13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
	from, known := first[major]
	return major >= 18 || known && minor >= from
}
