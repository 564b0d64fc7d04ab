package dump

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/source"
	"napback/napback/state"
)

// server is a database server, with the database that is meant.
type server interface {
	Dump() Command
	Load() Command
	// Present prints, one a line, the databases that a load would meet.
	Present() Command
	// Made prints those that a load has made, at least by name.
	Made() Command
	// Who prints who the server is, for people.
	Who() Command
}

// dumped is a job of a database server: a dump program and the check of what
// it writes.
type dumped struct {
	kind, source string
	args         []string // of the dump program, whoever runs it
	dump         chain.Stage
	whole        chain.Stage
	unpack       string
	passwords    string // the file that the server's clients read
	rehearsal    func(args []string) []string
}

// newDatabase prepares a database. Whether it is there shows when it is dumped.
func newDatabase(host source.Host, job source.Job, s server, format Format) (*dumped, error) {
	d := &dumped{kind: job.Kind, source: job.Source, args: s.Dump().Args}
	var err error
	if d.dump, err = stageOf(host.Kit, s.Dump()); err != nil {
		return nil, err
	}
	d.whole, err = wholeStage(host.Kit, format, "")
	return d, err
}

// checkDatabase refuses what programs would take for something else.
func checkDatabase(name string) error {
	if name == "" || strings.HasPrefix(name, "-") || strings.Contains(name, "/") {
		return fmt.Errorf("%q is not the name of a database or user", name)
	}
	return nil
}

func (d *dumped) WhyNotDiff(source.Turn) string { return "databases have no DIFF" }
func (d *dumped) Unchanged(*state.Point) bool   { return false }
func (d *dumped) Empty() bool                   { return false }
func (d *dumped) Unpack() string                { return d.unpack }
func (d *dumped) Hash() []any                   { return []any{d.kind, d.source, d.args} }

// refused matches how the databases' clients say that they were not let in.
var refused = regexp.MustCompile(`Access denied|no password supplied|password authentication failed|Peer authentication failed`)

// peer matches how PostgreSQL says that it goes by the system's users.
var peer = regexp.MustCompile(`Peer authentication failed for user "([A-Za-z0-9_.-]+)"`)

func (d *dumped) Explain(err error) error {
	var failed *chain.Error
	if errors.As(err, &failed) && failed.Cause.Stage == d.dump.Name && refused.MatchString(err.Error()) {
		if m := peer.FindStringSubmatch(err.Error()); m != nil {
			return cli.WithHint(err, "the server takes this user from programs of the system's user %[1]s only: RunAs %[1]s", m[1])
		}
		return cli.WithHint(err, "napback never asks: write the password into %s in the home directory of its account", d.passwords)
	}
	return err
}

func (d *dumped) stages() []chain.Stage                           { return []chain.Stage{d.dump, d.whole} }
func (d *dumped) Plan(source.Turn) (string, []chain.Stage, error) { return "", d.stages(), nil }
func (d *dumped) Begin(source.Turn) (source.Reading, error) {
	return &reading{producers: d.stages()}, nil
}
