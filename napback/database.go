package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dump"
	"napback/napback/state"
	"napback/napback/tools"
)

// database is a MySQL or PostgreSQL job: a dump program and the check of what it
// writes.
type database struct {
	kind   config.Kind
	dump   chain.Stage
	whole  chain.Stage
	loader string // for unpack
}

// newDatabase prepares a database. Whether it is there shows when it is dumped.
func (e *engine) newDatabase(job *config.Job) (source, error) {
	c, format := dumpOf(job.Kind, job.Source, &job.Settings)
	s := &database{kind: job.Kind, loader: "psql -d postgres"}
	var err error
	if s.dump, err = commandStage(e.kit, c.Dump()); err != nil {
		return nil, err
	}
	if job.Kind == config.MySQL {
		s.loader = strings.TrimSuffix(strings.Replace(s.dump.Name, "mysqldump", "mysql", 1), "-dump") + " --binary-mode"
	}
	s.whole, err = wholeStage(e.kit, format, "")
	return s, err
}

// server is a database server as package dump knows it.
type server interface {
	Dump() dump.Command
	Load() dump.Command
	Present() dump.Command
}

// dumpOf returns how a database is dumped and loaded, and what its dump looks
// like.
func dumpOf(kind config.Kind, source string, set *config.Settings) (server, dump.Format) {
	if kind == config.MySQL {
		return dump.ParseMySQL(source, set.MySQLOptions), dump.FormatMySQL
	}
	p := dump.ParsePostgreSQL(source, set.PostgreSQLOptions)
	if p.Database == dump.All {
		return p, dump.FormatPostgreSQLAll
	}
	return p, dump.FormatPostgreSQL
}

// commandStage makes a stage of a command. It has no terminal: its program must fail
// instead of asking for a password.
func commandStage(kit tools.Kit, c dump.Command) (chain.Stage, error) {
	for _, name := range c.Programs {
		if path, ok := kit.Program(name); ok {
			s := kit.Stage(name, path, c.Args)
			s.Env, s.NoTerminal = c.Environ(kit.Env), true
			return s, nil
		}
	}
	return chain.Stage{}, cli.WithHint(fmt.Errorf("%s: not in PATH", strings.Join(c.Programs, ", ")), "install the programs of the source on this host")
}

// wholeStage passes a dump on and fails unless it is whole.
func wholeStage(kit tools.Kit, format dump.Format, revisions string) (chain.Stage, error) {
	path, err := kit.Sibling("napback")
	if err != nil {
		return chain.Stage{}, err
	}
	args := []string{tools.Whole, string(format)}
	if revisions != "" {
		args = append(args, revisions)
	}
	return kit.Stage("napback", path, args), nil
}

// Databases have no DIFF.
func (s *database) whyNotDiff(*jobBackup, *state.Point) string { return "databases have no DIFF" }
func (s *database) unchanged(*state.Point) bool                { return false }
func (s *database) empty() bool                                { return false }
func (s *database) unpack() string                             { return s.loader }

func (s *database) hash(job *config.Job) string {
	return hashOf(job, string(job.Kind), job.Source, s.dump.Args)
}

// refused matches how the databases' clients say that they were not let in.
var refused = regexp.MustCompile(`Access denied|no password supplied|password authentication failed|Peer authentication failed`)

func (s *database) explain(err error) error {
	var failed *chain.Error
	if errors.As(err, &failed) && failed.Cause.Stage == s.dump.Name && refused.MatchString(err.Error()) {
		file := ".pgpass"
		if s.kind == config.MySQL {
			file = ".my.cnf"
		}
		return cli.WithHint(err, "napback never asks: write the password into %s in the home directory of its account", file)
	}
	return err
}

func (s *database) stages() []chain.Stage { return []chain.Stage{s.dump, s.whole} }

func (s *database) plan(*jobBackup) (string, []chain.Stage, error) { return "", s.stages(), nil }

func (s *database) begin(*jobBackup) (reading, error) {
	return &dumpReading{producers: s.stages()}, nil
}

// dumpReading is one run of a dump program.
type dumpReading struct {
	producers []chain.Stage
	read      int64
	state     func(*state.Point) // what a repository adds
}

func (r *dumpReading) stages() []chain.Stage { return r.producers }
func (r *dumpReading) bytes() int64          { return r.read }
func (r *dumpReading) end()                  {}

var (
	wholeLine = regexp.MustCompile(`^napback: ([0-9]+) bytes$`)
	// An increment refers to what the archives before it hold.
	svnReference = regexp.MustCompile(`^WARNING 0x0000: .*older than the oldest dumped revision|^WARNING 0x0000: Loading this dump into an empty repository`)
)

func (r *dumpReading) heard(stage, line string) bool {
	if m := wholeLine.FindStringSubmatch(line); m != nil && stage == "napback" {
		r.read, _ = strconv.ParseInt(m[1], 10, 64)
		return false
	}
	return stage != "svnadmin" || !svnReference.MatchString(line)
}

func (r *dumpReading) finish(p *state.Point, _ []chain.Status) error {
	if r.state != nil {
		r.state(p)
	}
	return nil
}

// ask runs a command that prints something short.
func (e *engine) ask(ctx context.Context, c dump.Command) (string, error) {
	s, err := commandStage(e.kit, c)
	if err != nil {
		return "", err
	}
	out, _, err := e.kit.Output(ctx, s, func(stage, line string) { e.log.Debugf("%s: %s", stage, oneLine(line)) })
	return strings.TrimSuffix(string(out), "\n"), err
}
