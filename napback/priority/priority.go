// Package priority lets a chain's stages run at a lower priority of CPU and
// disk, by way of the programs nice and ionice: what napback -t prints can then
// still be pasted into a shell, and the priority is part of it.
package priority

import (
	"context"
	"os/exec"
	"strconv"

	"napback/napback/chain"
)

// Programs are what lowers priorities; "" for one that cannot be used.
type Programs struct {
	Nice   string // path of nice(1)
	IONice string // path of ionice(1)
}

// Find looks for the programs in PATH and tries them once: ionice is refused
// in some containers, and a backup must not fail for want of a priority.
// environ is what their environment is made from.
func Find(ctx context.Context, environ []string) Programs {
	try := func(name string, args ...string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = chain.Environ(environ)
		if cmd.Run() != nil {
			return ""
		}
		return path
	}
	return Programs{Nice: try("nice", "-n", "1", "true"), IONice: try("ionice", append(lowest(), "true")...)}
}

// lowest are ionice's arguments for the lowest priority that is still served
// when others use the disk all the time: one in the class idle could wait for
// ever.
func lowest() []string { return []string{"-c", "2", "-n", "7"} }

// Wrap returns the command that runs argv with its niceness raised by nice,
// from -20 to 19, and, if that is above 0, with the lowest disk priority that
// is not starved. With 0, or without the programs, it returns argv itself.
// Below 0 is for root; nice(1) tells others so and runs argv all the same.
func (p Programs) Wrap(argv []string, nice int) []string {
	if nice > 0 && p.IONice != "" {
		argv = append(append([]string{p.IONice}, lowest()...), argv...)
	}
	if nice != 0 && p.Nice != "" {
		argv = append([]string{p.Nice, "-n", strconv.Itoa(nice)}, argv...)
	}
	return argv
}

// Stage returns the stage as Wrap would run it. Its name stays, and since the
// programs replace themselves by what they run, so do process id, signals and
// exit status.
func (p Programs) Stage(s chain.Stage, nice int) chain.Stage {
	argv := p.Wrap(append([]string{s.Path}, s.Args...), nice)
	s.Path, s.Args = argv[0], argv[1:]
	return s
}
