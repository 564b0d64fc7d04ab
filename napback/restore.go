package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/confine"
	"napback/napback/nofollow"
	"napback/napback/source/tar"
)

func restoreCommand(std cli.Streams) *urfave.Command {
	return command(std, restoreJob, &urfave.Command{
		Name:      "restore",
		Usage:     "bring back what a job backed up",
		ArgsUsage: "JOB [PATH...]",
		Description: "JOB is the name of the job's archives without slot and type, or its source.\n" +
			"PATHs, absolute or relative to the source, restore only these.\n" +
			"Of a database or repository comes a dump, to stdout, into a file or loaded.",
		Flags: append([]urfave.Flag{
			atFlag(),
			&urfave.StringFlag{Name: "to", Usage: "restore below `DIR`, which must be empty or absent; a dump into this new file", TakesFile: true},
			&urfave.BoolFlag{Name: "load", Usage: "load a dump into the job's server, or into a new repository; default: write it to stdout"},
			&urfave.BoolFlag{Name: "in-place", Usage: "restore to where it was, deleting what the backup does not have"},
			&urfave.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask before --in-place"},
			acceptFlag(),
			&urfave.BoolFlag{Name: "pretend", Aliases: []string{"p"}, Usage: "print what would be run, and run nothing that writes"},
			ownerFlag(), hostFlag(), unsignedFlag(),
		}, keyFlags()...),
	})
}

// restore brings back a Directory:
//
//  1. The archives of the job are listed, and the chain of the moment is
//     planned from their manifests alone (package catalog).
//  2. The destination is checked: an empty directory, or with --in-place the
//     file system itself, after showing what would be deleted there.
//     What is in the way of the chain's directories is removed, and no link is
//     followed (package nofollow).
//  3. With PATHs, the lists in the increments tell from which archive to take
//     each (restore_select.go).
//  4. Each archive is read, verified, decrypted, decompressed and extracted by
//     one chain of processes, oldest first. tar deletes what each next archive
//     says is gone. It gets only what the guard lets through (package guard),
//     and can write only below the destination (package confine).
//
// It succeeds only if every stage of every chain has. After a failure the
// destination is in between, and the error says so.
type restore struct {
	*engine
	target target
	point  catalog.Point
	key    *secretKey
	tar    string         // GNU tar
	source string         // what the archives were made of
	tree   *nofollow.Tree // where is written; nil before it is there
	to     string         // where tar works: the destination, or / with --in-place
	place  bool           // --in-place
	paths  []string       // listed names; none = all
	chosen [][]string     // the paths to take from each archive of the chain
	lists  []*listing     // of the archives of the chain, as far as they were read
	made   bool           // the destination did not exist
	begun  bool           // something may have been written to it
	// trouble is what tar complained of, though it went on; failed that some
	// of it is more than a warning.
	trouble []string
	failed  bool
}

func restoreJob(c *urfave.Context, e *engine, configs []*config.Config) error {
	ctx := c.Context
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.forget()
	r := &restore{engine: e, key: key, place: c.Bool("in-place"), to: c.String("to")}
	at, err := r.checkUsage(c)
	if err != nil {
		return err
	}
	if r.target, err = e.findTarget(ctx, configs, c.Args().First()); err != nil {
		return err
	}
	check := func(kind config.Kind) error {
		return checkDumpUsage(kind, r.place, c.Bool("load"), r.to != "", c.NArg() > 1)
	}
	if r.target.job != nil {
		if err := check(r.target.job.Kind); err != nil {
			return err
		}
	}
	if r.point, err = e.point(ctx, r.target, choiceOf(c), at); err != nil {
		return err
	}
	for _, a := range r.point.Chain {
		if err := r.target.trust(a, c.Bool("accept-unencrypted")); err != nil {
			return err
		}
	}
	kind, source := kindOf(r.point.Source())
	r.source = source
	if err := check(kind); err != nil {
		return err
	}
	if err := r.target.placed(r.place, c.Bool("load"), kind, r.to); err != nil {
		return err
	}
	if kind != config.Directory {
		return r.restoreDump(ctx, c.Bool("load"), c.Bool("pretend"))
	}
	if r.tar, err = e.kit.GNUTar(ctx); err != nil {
		return err
	}
	if r.paths, err = r.parsePaths(c.Args().Tail()); err != nil {
		return err
	}
	r.announce()
	if c.Bool("pretend") {
		return r.printPlan(ctx)
	}
	if err := confine.Supported(); err != nil {
		r.log.Verbosef("tar is not confined to the destination: %v", err)
	}
	defer r.closeTree()
	return r.finish(r.runTo(ctx, c.Bool("yes")))
}

// runTo checks the destination, finds out what to take from which archive, and
// restores.
func (r *restore) runTo(ctx context.Context, yes bool) error {
	if r.place {
		r.to = "/"
		if err := errors.Join(r.checkPlace(yes), r.findSource()); err != nil {
			return err
		}
	} else if err := r.checkDestination(); err != nil {
		return err
	}
	if err := r.choose(ctx); err != nil {
		return err
	}
	if r.place {
		if err := r.confirm(ctx, yes); err != nil {
			return err
		}
	}
	return r.run(ctx)
}

// checkUsage refuses what cannot be meant.
func (r *restore) checkUsage(c *urfave.Context) (catalog.Moment, error) {
	switch {
	case c.NArg() == 0:
		return catalog.Moment{}, cli.WithHint(cli.UsageErrorf("restore what? no job is named"), "napback -c FILE list shows the jobs")
	case r.place && r.to != "":
		return catalog.Moment{}, cli.UsageErrorf("--to and --in-place are two destinations, give one")
	}
	return catalog.ParseMoment(c.String("at"), time.Local)
}

// announce says what is going to be restored.
func (r *restore) announce() {
	var names []string
	for _, a := range r.point.Chain {
		names = append(names, fmt.Sprintf("%s (%s, %s)", a.Name, a.Date(), cli.FormatSize(a.Bytes)))
	}
	r.log.Notef("%s of host %s as of %s, from %s", oneLine(r.point.Source()), oneLine(r.point.Host), oneLine(r.point.Date()), oneLine(strings.Join(names, ", ")))
}

// checkDestination makes sure that there is an empty directory to restore to.
func (r *restore) checkDestination() error {
	entries, err := os.ReadDir(r.to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.made = true
		// Only its owner may look into it: the modes of what is above the
		// source are not in the backup.
		if err := os.MkdirAll(r.to, 0o700); err != nil {
			return fmt.Errorf("make the destination: %w", err)
		}
	case err != nil:
		return fmt.Errorf("destination: %w", err)
	case len(entries) > 0:
		return cli.WithHint(fmt.Errorf("destination %q is not empty: it holds %q", r.to, entries[0].Name()),
			"restoring deletes what the backup does not have; give a new directory, or --in-place to restore over the source")
	}
	if r.to, err = filepath.Abs(r.to); err != nil {
		return err
	}
	if r.tree, err = nofollow.Open(r.to); err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	return nil
}

// run restores, once everything has been checked.
func (r *restore) run(ctx context.Context) error {
	missing := map[string]bool{}
	for i, a := range r.point.Chain {
		if len(r.paths) > 0 && len(r.chosen[i]) == 0 {
			continue
		}
		r.log.Notef("extracting %s (%s)", a.Name, cli.FormatSize(a.Bytes))
		if err := r.makeRoom(i); err != nil {
			return fmt.Errorf("make room for %s: %w", a.Name, err)
		}
		report, err := r.extract(ctx, i)
		if err == nil {
			err = r.mendLinks(ctx, i, report)
		}
		if err != nil {
			return fmt.Errorf("restore %s of run %s: %w", a.Name, a.Run, err)
		}
		r.trouble = append(r.trouble, report.Trouble...)
		r.failed = r.failed || report.Failed
		for _, p := range r.chosen[i] {
			missing[p] = slices.Contains(report.Missing, p)
		}
	}
	for _, p := range r.paths {
		if missing[p] { // in the last archive that should have it
			return r.noSuchPath(p)
		}
	}
	return nil
}

// extract runs the chain of archive number i.
func (r *restore) extract(ctx context.Context, i int) (*tar.Extraction, error) {
	a, paths := r.point.Chain[i], r.chosen[i]
	report := &tar.Extraction{}
	notDirs, err := r.checkWay(paths)
	if err != nil {
		return report, err
	}
	status, err := r.unpack(ctx, r.key, func() ([]chain.Status, error) {
		*report = tar.Extraction{Selective: len(paths) > 0}
		c, err := r.chain(a, notDirs, tar.Extract(r.source, r.to, paths), report)
		if err != nil {
			return nil, err
		}
		r.begun = true
		return c.Run(ctx)
	})
	if n := len(status); err == nil && status[n-1].Code != 0 {
		report.Failed = len(report.Trouble) > 0
	}
	return report, err
}

// chain is the chain that extracts an archive with tar's arguments. Members of
// the names notDirs must be no directories. report collects what tar says.
func (r *restore) chain(a catalog.Entry, notDirs, args []string, report *tar.Extraction) (*chain.Chain, error) {
	stages, err := r.guardedStages(a, r.target.settings, r.key, notDirs)
	if err != nil {
		return nil, err
	}
	extract, err := r.tarStage(args)
	if err != nil {
		return nil, err
	}
	extract.Accept = report.Accept
	return &chain.Chain{Stages: append(stages, extract), Log: func(stage, line string) {
		if stage == "tar" {
			report.Line(line)
			return
		}
		r.hear(stage, line)
	}}, nil
}

// finish tells how the restore ended.
func (r *restore) finish(err error) error {
	if r.made {
		_ = os.Remove(r.to) // unless something is in it
	}
	for _, line := range r.trouble {
		r.log.Warnf("tar: %s", oneLine(line))
	}
	if err == nil && r.failed {
		err = errors.New("restore: some of it could not be restored as it was; all else is restored")
	}
	if err != nil {
		if _, gone := os.Lstat(r.to); r.begun && gone == nil {
			err = cli.WithHint(err, "what is below %q is not a complete restore", r.to)
		}
		return err
	}
	where := "to " + r.to
	if r.place {
		where = "in place"
	}
	if _, err = fmt.Fprintf(r.std.Out, "restored %s as of %s %s\n", r.what(), oneLine(r.point.Date()), oneLine(where)); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	if len(r.trouble) > 0 {
		return cli.Exit(cli.Warnings)
	}
	return nil
}

// what names what is restored.
func (r *restore) what() string {
	if len(r.paths) > 0 {
		return oneLine("/" + strings.Join(r.paths, ", /"))
	}
	return oneLine(r.point.Source())
}

// printPlan prints the commands of the restore. With PATHs it reads the
// increments to know them.
func (r *restore) printPlan(ctx context.Context) error {
	if r.place {
		r.to = "/"
	}
	if err := r.choose(ctx); err != nil {
		return err
	}
	for i, a := range r.point.Chain {
		if len(r.paths) > 0 && len(r.chosen[i]) == 0 {
			continue
		}
		c, err := r.chain(a, nil, tar.Extract(r.source, r.to, r.chosen[i]), &tar.Extraction{})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(r.std.Out, c); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}
