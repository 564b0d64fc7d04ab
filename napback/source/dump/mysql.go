package dump

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"napback/napback/programs"
	"napback/napback/source"
)

// mysqlOptions is the directive of arguments for the dump program.
const mysqlOptions = "MySQLOptions"

// MySQLKind is the kind of databases of MySQL and MariaDB.
func MySQLKind() source.Kind {
	return source.Kind{
		Name:    "MySQL",
		Options: []source.Option{{Name: mysqlOptions, Form: source.Arguments, Repeat: true, Check: CheckMySQLOption}, source.RunAs()},
		Clean: func(argument string) (string, error) {
			i := strings.LastIndexByte(argument, ':')
			if i >= 0 && !strings.HasPrefix(argument, "/") {
				return "", errors.New("want DATABASE, all, or /SOCKET:DATABASE")
			}
			return argument, checkDatabase(argument[i+1:])
		},
		Base: func(name string) string {
			// A socket belongs to the name: each server may have the database.
			name = strings.TrimPrefix(name, "/")
			if i := strings.LastIndexByte(name, ':'); i >= 0 {
				name = name[:i] + "/" + name[i+1:]
			}
			return "MySQL/" + name
		},
		Same: func(a, b string) bool { return ParseMySQL(a, nil).Database == ParseMySQL(b, nil).Database },
		Open: func(_ context.Context, host source.Host, job source.Job) (source.Source, error) {
			m := ParseMySQL(job.Source, job.Options[mysqlOptions])
			m.As = job.Options.RunAs()
			d, err := newDatabase(host, job, m, FormatMySQL)
			if err != nil {
				return nil, err
			}
			d.passwords, d.rehearsal = ".my.cnf", mysqlRehearsal
			d.unpack = strings.TrimSuffix(strings.Replace(d.dump.Name, "mysqldump", "mysql", 1), "-dump") + " --binary-mode"
			return d, nil
		},
		Whole:    wholeSQL(func(string) Format { return FormatMySQL }),
		LoadsAs:  checkOther,
		Connects: mysqlOptions,
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			m := ParseMySQL(load.Source, load.Options[mysqlOptions])
			other := Other{m.Database, load.As}
			if load.Connect != nil {
				m.Socket, m.Options = "", load.Connect
			}
			m.As, m.Database = load.Options.RunAs(), cmp.Or(other.As, other.Of)
			first, rest := m.client()
			return &serverLoader{Host: host, server: m, other: other, quote: "`", rename: programs.Rename, trouble: largeRow,
				hint: "set max_allowed_packet of the server to 1G while it is loaded"}, checkLoad(load, other, len(first)+len(rest))
		},
		Try: tryMySQL,
	}
}

// MySQL is a database of a MySQL or MariaDB server, or all of them.
type MySQL struct {
	Socket   string // "" = as the client's option files say
	Database string // or All
	Options  []string
	As       string // the user of the system who asks; "" is who runs napback
}

// ParseMySQL takes a source apart: DATABASE, all, /SOCKET:DATABASE or
// /SOCKET:all.
func ParseMySQL(source string, options []string) MySQL {
	m := MySQL{Database: source, Options: options}
	if i := strings.LastIndexByte(source, ':'); i >= 0 && strings.HasPrefix(source, "/") {
		m.Socket, m.Database = source[:i], source[i+1:]
	}
	return m
}

// largeRow matches how the client says that the server takes no row as large as one.
var largeRow = regexp.MustCompile(`max_allowed_packet`)

// mysqlEnv are the variables of the clients' own.
var mysqlEnv = []string{"MYSQL_*", "MARIADB_*"}

// Dump is the command that writes the dump to stdout. It takes one consistent
// picture of all transactional tables and blocks nobody.
//
// Binary values are written as hex digits: as they are, they are not valid in
// any character set, and servers differ in what they make of that. Rows of up to
// 1 GiB, the protocol's limit, are dumped; the default would be 24 MB.
func (m MySQL) Dump() Command {
	first, rest := m.split()
	args := append(first, "--single-transaction", "--quick", "--routines", "--events", "--triggers",
		"--hex-blob", "--default-character-set=utf8mb4", "--max-allowed-packet=1G")
	args = append(args, rest...)
	if m.Database == All {
		// The grants of the database mysql come into force when they are loaded.
		args = append(args, "--flush-privileges", "--all-databases")
	} else {
		args = append(args, "--databases", m.Database)
	}
	return Command{[]string{"mariadb-dump", "mysqldump"}, args, mysqlEnv, m.As}
}

// Load is the command that reads a dump from stdin. It stops at the first error.
// The binary mode keeps the bytes of views and routines as they are, and allows
// the dump no commands of the client, such as one that runs a program. Nor may it
// have files of this host read.
func (m MySQL) Load() Command {
	first, rest := m.client()
	args := append(first, "--batch", "--binary-mode", "--local-infile=0", "--skip-force",
		"--default-character-set=utf8mb4", "--max-allowed-packet=1G")
	return Command{[]string{"mariadb", "mysql"}, append(args, rest...), mysqlEnv, m.As}
}

// systemSchemas are there in an empty server.
const systemSchemas = "'mysql','information_schema','performance_schema','sys','test'"

// Present is the command that prints, one a line, the databases that a load
// would change.
func (m MySQL) Present() Command {
	where := "table_schema NOT IN (" + systemSchemas + ")"
	if m.Database != All {
		where = "table_schema = '" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(m.Database) + "'"
	}
	return m.query("SELECT DISTINCT table_schema FROM information_schema.tables WHERE " + where)
}

func (m MySQL) query(sql string) Command {
	first, rest := m.client()
	args := append(first, "--batch", "--skip-column-names", "--default-character-set=utf8mb4")
	return Command{[]string{"mariadb", "mysql"}, append(append(args, rest...), "-e", sql), mysqlEnv, m.As}
}

// Made is the command that prints, one a line, the databases that are there, also
// empty ones.
func (m MySQL) Made() Command {
	where := "schema_name NOT IN (" + systemSchemas + ")"
	if m.Database != All {
		where = "schema_name = '" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(m.Database) + "'"
	}
	return m.query("SELECT schema_name FROM information_schema.schemata WHERE " + where)
}

// Who is the command that prints who the server is.
func (m MySQL) Who() Command {
	return m.query("SELECT CONCAT(@@version_comment, ' ', VERSION(), ' on host ', @@hostname, ', port ', @@port, ', socket ', @@socket, ', as ', CURRENT_USER())")
}

// split parts the options that have to come first from the others.
func (m MySQL) split() (first, rest []string) {
	for _, o := range m.Options {
		if isMySQLDefaults(o) {
			first = append(first, o)
		} else {
			rest = append(rest, o)
		}
	}
	if m.Socket != "" {
		rest = append(rest, "--socket="+m.Socket)
	}
	return first, rest
}

func isMySQLDefaults(option string) bool {
	return strings.HasPrefix(option, "--defaults-") || option == "--no-defaults"
}

// client keeps of the options those that tell how to reach the server: the
// others are for the dump program only.
func (m MySQL) client() (first, rest []string) {
	first, all := m.split()
	long := []string{"--host", "--port", "--socket", "--user", "--protocol", "--ssl", "--tls-version", "--plugin-dir",
		"--default-auth", "--connect-timeout", "--compress", "--server-public-key-path", "--get-server-public-key"}
	return first, connection(all, long, "hPSu")
}

// connection keeps the options of the given names; ssl stands for all that
// begin with it. A long option without = and a short one that stands alone take
// the next word, unless that is an option.
func connection(options, long []string, short string) []string {
	var kept []string
	for i := 0; i < len(options); i++ {
		name, _, hasValue := strings.Cut(options[i], "=")
		isLong := slices.Contains(long, name) || slices.Contains(long, "--ssl") && strings.HasPrefix(name, "--ssl-")
		isShort := len(name) >= 2 && name[0] == '-' && name[1] != '-' && strings.IndexByte(short, name[1]) >= 0
		if !isLong && !isShort {
			continue
		}
		kept = append(kept, options[i])
		alone := isLong && !hasValue || isShort && len(options[i]) == 2
		if alone && i+1 < len(options) && !strings.HasPrefix(options[i+1], "-") {
			i++
			kept = append(kept, options[i])
		}
	}
	return kept
}

// CheckMySQLOption refuses what would show a password to everyone who can run
// ps, ask for one, or break the chain that the dump is part of.
func CheckMySQLOption(word string) error {
	name, _, _ := strings.Cut(word, "=")
	switch {
	case strings.HasPrefix(name, "--pass"), shortFlag(word, 'p', "hPSurTw#"):
		if !strings.HasPrefix(name, "--") {
			name = "-p" // what follows may be the password
		}
		return fmt.Errorf("%s would show a password to everyone on the host, or ask for one: write it into .my.cnf", name)
	case slices.Contains([]string{"--result-file", "--tab", "--dir", "--xml"}, name), shortFlag(word, 'r', "hPSuTw#"),
		shortFlag(word, 'T', "hPSurw#"), shortFlag(word, 'X', "hPSurTw#"):
		return fmt.Errorf("%s would break the chain that the dump is part of", name)
	case slices.Contains([]string{"--skip-comments", "--disable-comments", "--compact"}, name), word == "--comments=0":
		return fmt.Errorf("%s leaves out the line by which a whole dump is known", name)
	}
	return nil
}

// shortFlag reports whether a word holds a short option, alone or with others
// before it; taking are those whose value is the rest of the word.
func shortFlag(word string, flag byte, taking string) bool {
	if len(word) < 2 || word[0] != '-' || word[1] == '-' {
		return false
	}
	for i := 1; i < len(word); i++ {
		if word[i] == flag {
			return true
		}
		if strings.IndexByte(taking, word[i]) >= 0 {
			return false
		}
	}
	return false
}
