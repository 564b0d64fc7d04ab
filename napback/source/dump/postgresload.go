package dump

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
)

// postgresLoader loads a dump into a server: Look reads it once to its end before.
type postgresLoader struct {
	serverLoader
	client PostgreSQL
	signed bool
}

// loadPostgreSQL is Kind.Load.
func loadPostgreSQL(host source.Host, load source.Load) (source.Loader, error) {
	p := ParsePostgreSQL(load.Source, load.Options[postgresOptions])
	other := Other{p.Database, load.As}
	if load.Connect != nil {
		p.User, p.Options = "", load.Connect
	}
	p.As, p.Database = load.Options.RunAs(), cmp.Or(other.As, other.Of)
	l := serverLoader{Host: host, server: p, other: other, quote: `"`, trouble: noRole,
		hint: "the dump of one database has no roles: create them, or restore the job of all databases"}
	return &postgresLoader{l, p, load.Signed}, checkLoad(load, other, len(p.connection()))
}

// Look finds out, of a dump without roles, which ones it needs. psql would find out one
// by one, when half of it is loaded.
func (l *postgresLoader) Look() ([]chain.Stage, error) {
	if l.other.Of == All {
		return nil, nil
	}
	whole, err := wholeStage(l.Kit, FormatPostgreSQL, "")
	if err != nil {
		return nil, err
	}
	s, err := l.Kit.Hidden(programs.NeededRoles)
	return []chain.Stage{whole, s}, err
}

// Judge refuses to load if roles are missing.
func (l *postgresLoader) Judge(ctx context.Context, printed []byte) error {
	missing, err := l.missing(ctx, printed)
	if err != nil || len(missing) == 0 {
		return err
	}
	return cli.WithHint(fmt.Errorf("the server lacks roles that own what is in the dump, or have rights there: %s", strings.Join(missing, ", ")),
		"nothing has been loaded; restore the job of all databases, which has the roles with their passwords, or first: %s", createRoles(missing))
}

// createRoles makes roles, by their quoted names.
func createRoles(names []string) string {
	return "CREATE ROLE " + strings.Join(names, "; CREATE ROLE ") + ";"
}

// missing are the roles that the server does not have, quoted, of those that were
// printed as those that the dump needs.
func (l *postgresLoader) missing(ctx context.Context, printed []byte) ([]string, error) {
	out, err := ask(ctx, l.Host, l.client.RoleNames())
	if err != nil {
		return nil, fmt.Errorf("look which roles the server has: %w", err)
	}
	has := map[string]bool{}
	for line := range strings.SplitSeq(out, "\n") {
		name, err := hex.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("look which roles the server has: it says %q", line)
		}
		has[string(name)] = true
	}
	var missing []string
	for line := range bytes.Lines(printed) {
		var name string
		if err := json.Unmarshal(line, &name); err != nil {
			return nil, fmt.Errorf("look which roles the dump needs: %w", err)
		}
		if !has[name] {
			missing = append(missing, `"`+strings.ReplaceAll(name, `"`, `""`)+`"`)
		}
	}
	return missing, nil
}

// Stages look through the dump before psql sees it.
func (l *postgresLoader) Stages(ctx context.Context) ([]chain.Stage, error) {
	load, err := l.serverLoader.Stages(ctx)
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
	if l.other.As != "" {
		args = append(args, "--of="+l.other.Of, "--as="+l.other.As)
	}
	look, err := l.Kit.Hidden(programs.SQL, args...)
	if err != nil {
		return nil, err
	}
	stages := append([]chain.Stage{look}, load...)
	if l.other.Of == All {
		once, err := l.Kit.Hidden(programs.Roles)
		return append([]chain.Stage{once}, stages...), err
	}
	return stages, nil
}

// noRole matches how psql says that a role is missing.
var noRole = regexp.MustCompile(`(?s)role .*does not exist`)

// Version is the command that prints the client's version.
func (p PostgreSQL) Version() Command {
	return Command{[]string{"psql"}, []string{"--version"}, postgresEnv, p.As}
}

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
