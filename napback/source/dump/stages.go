package dump

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/state"
)

// stageOf makes a stage of a command. It has no terminal: its program must fail
// instead of asking for a password.
func stageOf(kit programs.Kit, c Command) (chain.Stage, error) {
	for _, name := range c.Programs {
		if path, ok := kit.Program(name); ok {
			s := kit.Stage(name, path, c.Args)
			s.Env, s.NoTerminal = c.Environ(kit.Env), true
			return kit.RunAs(c.As, s)
		}
	}
	return chain.Stage{}, cli.WithHint(fmt.Errorf("%s: not in PATH", strings.Join(c.Programs, ", ")), "install the programs of the source on this host")
}

// wholeStage passes a dump on and fails unless it is whole.
func wholeStage(kit programs.Kit, format Format, revisions string) (chain.Stage, error) {
	args := []string{string(format)}
	if revisions != "" {
		args = append(args, revisions)
	}
	return kit.Hidden(programs.Whole, args...)
}

// reading is one run of a dump program.
type reading struct {
	producers []chain.Stage
	read      int64
	state     func(*state.Point) // what a repository adds
	meta      map[string]string  // what it tells the manifest
}

func (r *reading) Stages() []chain.Stage { return r.producers }
func (r *reading) Bytes() int64          { return r.read }
func (r *reading) End()                  {}

// svnReference matches that an increment refers to what the archives before it hold.
var svnReference = regexp.MustCompile(`^WARNING 0x0000: .*older than the oldest dumped revision|^WARNING 0x0000: Loading this dump into an empty repository`)

func (r *reading) Heard(stage, line string) bool {
	if n, ok := programs.Copied(stage, line); ok {
		r.read = n
		return false
	}
	return stage != "svnadmin" || !svnReference.MatchString(line)
}

func (r *reading) Finish(p *state.Point, _ []chain.Status) error {
	if r.state != nil {
		r.state(p)
	}
	return nil
}

// ask runs a command that prints something short.
func ask(ctx context.Context, host source.Host, c Command) (string, error) {
	s, err := stageOf(host.Kit, c)
	if err != nil {
		return "", err
	}
	out, _, err := host.Kit.Output(ctx, s, host.Heard)
	return strings.TrimSuffix(string(out), "\n"), err
}
