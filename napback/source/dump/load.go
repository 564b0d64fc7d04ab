package dump

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/source"
)

// serverLoader loads a dump into the server of a job, or into another one.
type serverLoader struct {
	source.Host
	source.Unseen
	server  server
	other   Other          // Of is the database of the job
	quote   string         // around names in SQL
	rename  string         // the hidden command that gives the database its other name
	trouble *regexp.Regexp // what loading may end with, in words
	hint    string         // for that
}

// checkLoad refuses what a load cannot do. kept is how many of load.Connect tell where
// the server is.
func checkLoad(load source.Load, other Other, kept int) error {
	switch {
	case other.As != "" && other.Of == All:
		return cli.UsageErrorf("--as: a dump of all databases has their names, and can be loaded under no other")
	case load.Connect != nil && kept != len(load.Connect):
		return cli.UsageErrorf("--options: want only such as tell where the server is and who asks, as --host and --user")
	}
	return nil
}

func (l *serverLoader) Explain(err error) error {
	if l.trouble.MatchString(err.Error()) {
		err = cli.WithHint(err, "%s", l.hint)
	}
	return err
}

func (l *serverLoader) Where() string                  { return "into the server" }
func (l *serverLoader) Before() ([]chain.Stage, error) { return nil, nil } // a dump makes its databases

// Target asks the server who it is: option files and variables may lead anywhere.
func (l *serverLoader) Target(ctx context.Context) (string, error) {
	who, err := ask(ctx, l.Host, l.server.Who())
	if err != nil {
		return "", l.Explain(fmt.Errorf("ask the server who it is: %w", err))
	}
	what := "all databases"
	if name := l.name(); name != All {
		what = fmt.Sprintf("the database %q", name)
	}
	return fmt.Sprintf("into %s of %s", what, strings.ReplaceAll(who, "\t", " ")), nil
}

// name is that of the database in the server.
func (l *serverLoader) name() string {
	if l.other.As != "" {
		return l.other.As
	}
	return l.other.Of
}

// Prepare fails if the server has what would be loaded.
func (l *serverLoader) Prepare(ctx context.Context) error {
	present, err := ask(ctx, l.Host, l.server.Present())
	if err != nil {
		return fmt.Errorf("look what the server has: %w", err)
	}
	if present != "" {
		first, _, _ := strings.Cut(present, "\n")
		hint := "drop it first; or restore --to FILE, and load that by hand"
		if l.other.Of != All {
			hint = "--as NAME loads it under another name; or drop it first"
		}
		return cli.WithHint(fmt.Errorf("the server has the database %q: loading would mix the backup into it", first), "%s", hint)
	}
	return nil
}

func (l *serverLoader) Stages(context.Context) ([]chain.Stage, error) {
	s, err := stageOf(l.Kit, l.server.Load())
	if err != nil || l.other.As == "" || l.rename == "" {
		return []chain.Stage{s}, err
	}
	rename, err := l.Kit.Hidden(l.rename, l.other.Of, l.other.As)
	return []chain.Stage{rename, s}, err
}

// patience is how long a server may take to say what is left, when all else has
// ended; the user may have asked for the end.
const patience = 10 * time.Second

// maxUndo is how many databases are named.
const maxUndo = 20

// Undo names what is there that was not there before.
func (l *serverLoader) Undo(ctx context.Context) string {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer stop()
	made, err := ask(ctx, l.Host, l.server.Made())
	names := strings.Split(made, "\n")
	switch {
	case err != nil && l.name() == All:
		return "what has been loaded is not a complete restore: drop all databases before it is tried again"
	case err != nil:
		names = []string{l.name()}
	case made == "":
		return ""
	}
	var drop []string
	for _, name := range names {
		if len(drop) == maxUndo {
			drop = append(drop, "...")
			break
		}
		drop = append(drop, "DROP DATABASE "+l.quote+strings.ReplaceAll(name, l.quote, l.quote+l.quote)+l.quote+";")
	}
	return "what has been loaded is not a complete restore; this removes it: " + strings.Join(drop, " ")
}
