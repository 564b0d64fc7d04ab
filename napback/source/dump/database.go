package dump

import (
	"context"
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
	Present() Command
}

// dumped is a job of a database server: a dump program and the check of what
// it writes.
type dumped struct {
	kind, source string
	dump         chain.Stage
	whole        chain.Stage
	unpack       string
	passwords    string // the file that the server's clients read
	rehearsal    func(args []string) []string
}

// newDatabase prepares a database. Whether it is there shows when it is dumped.
func newDatabase(host source.Host, job source.Job, s server, format Format) (*dumped, error) {
	d := &dumped{kind: job.Kind, source: job.Source}
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
func (d *dumped) Hash() []any                   { return []any{d.kind, d.source, d.dump.Args} }

// refused matches how the databases' clients say that they were not let in.
var refused = regexp.MustCompile(`Access denied|no password supplied|password authentication failed|Peer authentication failed`)

func (d *dumped) Explain(err error) error {
	var failed *chain.Error
	if errors.As(err, &failed) && failed.Cause.Stage == d.dump.Name && refused.MatchString(err.Error()) {
		return cli.WithHint(err, "napback never asks: write the password into %s in the home directory of its account", d.passwords)
	}
	return err
}

func (d *dumped) stages() []chain.Stage                           { return []chain.Stage{d.dump, d.whole} }
func (d *dumped) Plan(source.Turn) (string, []chain.Stage, error) { return "", d.stages(), nil }
func (d *dumped) Begin(source.Turn) (source.Reading, error) {
	return &reading{producers: d.stages()}, nil
}

// serverLoader loads a dump into the server of a job.
type serverLoader struct {
	source.Host
	server  server
	trouble *regexp.Regexp // what loading may end with, in words
	hint    string         // for that
}

func (l *serverLoader) Explain(err error) error {
	if l.trouble.MatchString(err.Error()) {
		err = cli.WithHint(err, "%s", l.hint)
	}
	return err
}

func (l *serverLoader) Where() string                  { return "into the server" }
func (l *serverLoader) Before() ([]chain.Stage, error) { return nil, nil } // a dump makes its databases

// Prepare fails if the server has what would be loaded.
func (l *serverLoader) Prepare(ctx context.Context) error {
	present, err := ask(ctx, l.Host, l.server.Present())
	if err != nil {
		return fmt.Errorf("look what the server has: %w", err)
	}
	if present != "" {
		first, _, _ := strings.Cut(present, "\n")
		return cli.WithHint(fmt.Errorf("the server has the database %q: loading would mix the backup into it", first),
			"drop it first; or restore --to FILE, and load that by hand")
	}
	return nil
}

func (l *serverLoader) Stages(context.Context) ([]chain.Stage, error) {
	s, err := stageOf(l.Kit, l.server.Load())
	return []chain.Stage{s}, err
}
