// Package priority lets a chain's stages run at a lower priority of CPU and
// disk, by way of the programs nice and ionice: what napback -t prints can then
// still be pasted into a shell, and the priority is part of it.
package priority

import (
	"context"
	"os/exec"
	"slices"
	"strconv"

	"napback/napback/chain"
)

// Programs are what lowers priorities; "" for one that cannot be used.
type Programs struct {
	Nice   string // path of nice(1)
	IONice string // path of ionice(1)
}

// Find looks for the programs in PATH and tries them once, since nothing must go
// wrong with them later: ionice is refused in some containers, and a backup must
// not fail for want of a priority. Nor may their own failure look like that of
// what they run: a program that cannot run tar and exits 1, which is what tar
// does after a warning, would make an empty archive a good one. environ is what
// their environment is made from.
func Find(ctx context.Context, environ []string) Programs {
	try := func(name string, args ...string) string {
		path, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		status := func(program string) int {
			cmd := exec.CommandContext(ctx, path, append(slices.Clip(args), program)...)
			cmd.Env = chain.Environ(environ)
			_ = cmd.Run()
			return cmd.ProcessState.ExitCode() // -1 if it did not even start
		}
		if status("true") != 0 || status("/nonexistent/program") < 126 {
			return ""
		}
		return path
	}
	return Programs{Nice: try("nice", "-n", "1"), IONice: try("ionice", lowest()...)}
}

// lowest are ionice's arguments for the lowest priority that is still served
// when others use the disk all the time: one in the class idle could wait for
// ever. Where the kernel refuses it, -t goes on without.
func lowest() []string { return []string{"-t", "-c", "2", "-n", "7"} }

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
