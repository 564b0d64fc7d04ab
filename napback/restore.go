package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/restore"
	"napback/napback/source"
	"napback/napback/unpack"
)

func restoreCommand(std cli.Streams) *urfave.Command {
	return command(std, restoreJob, &urfave.Command{
		Name:      "restore",
		Usage:     "bring back what a job backed up",
		ArgsUsage: "JOB [PATH...]",
		Description: "JOB is the name of the job's archives without slot and type, or the end of it, the\n" +
			"source, or a pattern. PATHs, absolute or relative to the source, restore only these;\n" +
			"so does an absolute PATH alone, without a JOB.\n" +
			"Of a database, a repository or a command comes a stream, to stdout, into a file or loaded.",
		Flags: append([]urfave.Flag{
			atFlag(),
			&urfave.StringFlag{Name: "to", Usage: "restore below `DIR`, which must be empty or absent; a dump into this new file", TakesFile: true},
			&urfave.BoolFlag{Name: "load", Usage: "load a dump into the job's server or repository, or give it to the job's Load; default: write it to stdout"},
			&urfave.StringFlag{Name: "as", Usage: "with --load: make a database of this `NAME`, or a repository at this path"},
			&urfave.StringFlag{Name: "options", Usage: "with --load: find the server by these `OPTIONS`, in place of the job's, as \"--host=db2 --user=root\""},
			&urfave.BoolFlag{Name: "in-place", Usage: "restore to where it was, deleting what the backup does not have"},
			&urfave.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask before --in-place"},
			acceptFlag(),
			&urfave.BoolFlag{Name: "pretend", Aliases: []string{"p"}, Usage: "print what would be run, and run nothing that writes"},
			ownerFlag(), hostFlag(), unsignedFlag(),
		}, keyFlags()...),
	})
}

func restoreJob(c *urfave.Context, e *call, configs []*config.Config) error {
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.Close()
	at, err := checkRestoreUsage(c)
	if err != nil {
		return err
	}
	t, err := e.finder().Find(c.Context, configs, c.Args().First())
	if err != nil {
		return err
	}
	if t.Job != nil {
		if err := checkKindUsage(c, t.Job.Kind); err != nil {
			return err
		}
	}
	if c.Bool("in-place") && c.Bool("yes") { // nobody sees which one it is
		if err := t.Whole(c.Args().First()); err != nil {
			return err
		}
	}
	p, err := e.finder().Point(c.Context, t, choiceOf(c), at)
	if err != nil {
		return withOld(c.Context, e, t, err)
	}
	for _, a := range p.Chain {
		if err := t.Trust(a, c.Bool("accept-unencrypted")); err != nil {
			return err
		}
	}
	kind, made := jobs.KindOf(p.Source())
	if err := checkKindUsage(c, kind); err != nil {
		return err
	}
	if err := t.Placed(c.Bool("in-place"), c.Bool("load"), kind, c.String("as")); err != nil {
		return err
	}
	r := restore.Request{From: unpack.Reader{Kit: e.host.Kit, Settings: t.Settings, Key: key, Log: e.log, Progress: e.progress}, Job: t.Name, Point: p, Source: made, To: c.String("to")}
	if kind.Tree {
		return restoreTree(c, e.std, r, t.Path)
	}
	if t.Path != "" {
		return cli.WithHint(wholeOnly(kind), "restore %s is all of it", cli.Safe(t.Name))
	}
	s := &restore.Stream{Request: r}
	if c.Bool("load") {
		if s.Loader, err = newLoader(c, e.host.Source(), t, kind, r); err != nil {
			return err
		}
	}
	return restoreStream(c, e.std, s)
}

// withOld adds to the error of a job without a backup of that time what s3napback has
// stored of its source.
func withOld(ctx context.Context, e *call, t jobs.Target, err error) error {
	if cli.ExitStatus(err) != cli.NotFound {
		return err
	}
	for _, old := range e.finder().Old(ctx, []jobs.Target{t}) {
		for _, line := range slices.Backward(tellOld(old)) { // the last hint is printed first
			err = cli.WithHint(err, "%s", line)
		}
	}
	return err
}

// newLoader returns what loads archives of the job's source.
func newLoader(c *urfave.Context, host source.Host, t jobs.Target, kind source.Kind, r restore.Request) (source.Loader, error) {
	if kind.Load == nil {
		return nil, cli.WithHint(cli.UsageErrorf("nothing is known that loads a %s", cli.Safe(kind.Name)), "restore --to FILE, and load that by hand")
	}
	job := config.Job{Kind: kind, Source: r.Source, Name: t.Name, Settings: *t.Settings}
	if j := t.Job; j != nil && j.Kind.Name == kind.Name {
		job.Source = j.Source // that of this host, with its own server
	}
	load := source.Load{Job: job.OfSource(), Signed: len(t.Settings.VerifyKeys()) > 0 && !t.Settings.AcceptUnsigned}
	var err error
	if name := c.String("as"); name != "" {
		if load.As, err = kind.LoadsAs(name); err != nil {
			return nil, cli.UsageErrorf("--as %q: %w", name, err)
		}
	}
	if c.IsSet("options") {
		if load.Connect, err = connection(kind, c.String("options")); err != nil {
			return nil, cli.UsageErrorf("--options %q: %w", c.String("options"), err)
		}
	}
	return kind.Load(host, load)
}

// connection reads options as the directive in whose place they stand.
func connection(kind source.Kind, text string) ([]string, error) {
	words, err := shell.Split(text)
	if err != nil {
		return nil, err
	}
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		return nil, errors.New("want options, which begin with -")
	}
	i := slices.IndexFunc(kind.Options, func(o source.Option) bool { return o.Name == kind.Connects })
	for _, word := range words {
		if check := kind.Options[i].Check; check != nil {
			if err := check(word); err != nil {
				return nil, err
			}
		}
	}
	return append([]string{}, words...), nil
}

// checkRestoreUsage refuses what cannot be meant.
func checkRestoreUsage(c *urfave.Context) (catalog.Moment, error) {
	switch {
	case c.NArg() == 0:
		return catalog.Moment{}, cli.WithHint(cli.UsageErrorf("restore what? no job is named"), "napback -c FILE list shows the jobs")
	case c.Bool("in-place") && c.String("to") != "":
		return catalog.Moment{}, cli.UsageErrorf("--to and --in-place are two destinations, give one")
	case !c.Bool("load") && (c.IsSet("as") || c.IsSet("options")):
		return catalog.Moment{}, cli.UsageErrorf("--as and --options tell where to --load, which is missing")
	}
	return catalog.ParseMoment(c.String("at"), time.Local)
}

// checkKindUsage refuses what cannot be meant with a kind of source.
func checkKindUsage(c *urfave.Context, kind source.Kind) error {
	inPlace, load, to := c.Bool("in-place"), c.Bool("load"), c.String("to") != ""
	switch {
	case kind.Tree && load:
		return cli.UsageErrorf("--load is for databases and repositories")
	case kind.Tree && !inPlace && !to:
		return cli.WithHint(cli.UsageErrorf("restore to where? no destination is given"),
			"--to DIR, an empty or new directory, or --in-place")
	case kind.Tree:
		return nil
	case inPlace:
		return cli.WithHint(cli.UsageErrorf("--in-place is for directories"), "--load loads a dump")
	case c.NArg() > 1:
		return wholeOnly(kind)
	case load && to && kind.LoadsAs != nil:
		return cli.WithHint(cli.UsageErrorf("--load and --to are two destinations, give one"), "--load --as NAME loads under another name")
	case load && to:
		return cli.UsageErrorf("--load and --to are two destinations, give one")
	case c.String("as") != "" && kind.LoadsAs == nil:
		return cli.UsageErrorf("--as: a %s has no other name", cli.Safe(kind.Name))
	case c.IsSet("options") && kind.Connects == "":
		return cli.UsageErrorf("--options is for databases: a %s has no server", cli.Safe(kind.Name))
	}
	return nil
}

func wholeOnly(kind source.Kind) error {
	return cli.UsageErrorf("a %s can only be restored as a whole: PATHs are for directories", cli.Safe(kind.Name))
}

// restoreTree restores a directory, or the PATHs of the command line. By a path inside
// the directory instead of its job, only that path is meant.
func restoreTree(c *urfave.Context, std cli.Streams, r restore.Request, inside string) error {
	paths := c.Args().Tail()
	if inside != "" {
		paths = append(paths, inside)
	}
	t, err := restore.NewTree(c.Context, r, c.Bool("in-place"), paths)
	if err != nil {
		return err
	}
	t.Announce()
	if c.Bool("pretend") {
		lines, err := t.Plan(c.Context)
		return printPlanned(std, lines, err)
	}
	yes := c.Bool("yes")
	if c.Bool("in-place") && !yes && !cli.IsTerminal(std.In) {
		return cli.WithHint(cli.UsageErrorf("--in-place asks before it writes, and there is no terminal to ask on"), "-y answers yes")
	}
	done, err := t.Run(c.Context, func(ctx context.Context, gone []restore.Deletion) error {
		showDeletions(std, gone)
		return confirmed(ctx, std, yes, fmt.Sprintf("Restore %s as of %s in place?", cli.Safe(t.What()), cli.Safe(t.Point.Date())), "restore in place")
	})
	return printRestored(std, r, done, err)
}

// maxShown is how many entries that would be deleted are shown one by one.
const maxShown = 200

func showDeletions(std cli.Streams, gone []restore.Deletion) {
	if len(gone) == 0 {
		fmt.Fprintln(std.Err, "Nothing would be deleted: all that is there now is in the backup, too.")
		return
	}
	fmt.Fprintf(std.Err, "The backup does not have %s, which would be deleted:\n", cli.Plural(len(gone), "entry", "entries"))
	for i, d := range gone {
		if i == maxShown {
			fmt.Fprintf(std.Err, "  ... and %d more\n", len(gone)-maxShown)
			break
		}
		fmt.Fprintf(std.Err, "  %s\n", cli.Safe(d.Path))
	}
}

// restoreStream restores what is no directory.
func restoreStream(c *urfave.Context, std cli.Streams, s *restore.Stream) error {
	s.Announce()
	switch {
	case c.Bool("pretend"):
		lines, err := s.Plan(c.Context)
		return printPlanned(std, lines, err)
	case s.Loader != nil || s.To != "":
		done, err := s.Run(c.Context)
		return printRestored(std, s.Request, done, err)
	case cli.IsTerminal(std.Out):
		return cli.WithHint(cli.UsageErrorf("standard output is a terminal, which would obey what is in the dump"), "--to FILE, --load, or a pipe")
	}
	return s.Copy(c.Context, std.Out)
}

func printPlanned(std cli.Streams, lines []string, err error) error {
	if err != nil || len(lines) == 0 {
		return err
	}
	return cli.Printf(std.Out, "%s\n", strings.Join(lines, "\n"))
}

// printRestored tells how a restore has ended, on stdout: no dump goes there.
func printRestored(std cli.Streams, r restore.Request, done restore.Done, err error) error {
	if err == nil {
		err = cli.Printf(std.Out, "restored %s as of %s %s\n", cli.Safe(done.What), cli.Safe(r.Point.Date()), cli.Safe(done.Where))
	}
	if err == nil && done.Warnings {
		err = cli.Exit(cli.Warnings)
	}
	return err
}
