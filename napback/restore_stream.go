package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/source"
	"napback/napback/source/kinds"
)

// streamRestore brings back what is no tree, such as the dump of a database or a
// repository:
//
//  1. The chain of the moment is planned, as for a tree. Kinds without DIFF have
//     one FULL; the streams of a FULL and its DIFFs, one after the other, are one.
//  2. Where it goes is checked: a file that does not exist; or, with --load, what
//     the kind's loader says, such as a server without this database.
//  3. Each archive is read, verified, decrypted, decompressed, and written or
//     loaded, by one chain of processes, oldest first.
type streamRestore struct {
	*restore
	loader source.Loader // nil: the stream is written
	out    io.Writer
	begun  bool // something may have been loaded
}

// kindOf returns what an archive was made of.
func kindOf(made string) (source.Kind, string) {
	kind, name, _ := strings.Cut(made, " ")
	return kinds.Of(kind), name
}

// restoreStream restores an archive that is no tree.
func (r *restore) restoreStream(ctx context.Context, load, pretend bool) error {
	d := &streamRestore{restore: r}
	if load {
		var err error
		if d.loader, err = r.openLoader(); err != nil {
			return err
		}
	}
	r.announce()
	if pretend {
		return d.printPlan(ctx)
	}
	if load {
		return d.loadAll(ctx)
	}
	if r.to != "" {
		return d.writeFile(ctx)
	}
	if cli.IsTerminal(r.std.Out) {
		return cli.WithHint(cli.UsageErrorf("standard output is a terminal, which would obey what is in the dump"), "--to FILE, --load, or a pipe")
	}
	d.out = r.std.Out
	return d.run(ctx)
}

// openLoader returns what loads archives of the source.
func (r *restore) openLoader() (source.Loader, error) {
	kind, from := kindOf(r.point.Source())
	if kind.Load == nil {
		return nil, cli.WithHint(cli.UsageErrorf("nothing is known that loads a %s", oneLine(kind.Name)), "restore --to FILE, and load that by hand")
	}
	job := config.Job{Kind: kind, Source: from, Name: r.target.name, Settings: *r.target.settings}
	if j := r.target.job; j != nil && j.Kind.Name == kind.Name {
		job.Source, job.Words = j.Source, j.Words // that of this host, with its own server
	}
	set := r.target.settings
	return kind.Load(r.hostOf(), source.Load{Job: job.OfSource(), To: r.to, Signed: len(set.VerifyKeys) > 0 && !set.AcceptUnsigned})
}

// checkKindUsage refuses what cannot be meant with a kind of source.
func checkKindUsage(kind source.Kind, place, load, to, paths bool) error {
	switch {
	case kind.Tree && load:
		return cli.UsageErrorf("--load is for databases and repositories")
	case kind.Tree && !place && !to:
		return cli.WithHint(cli.UsageErrorf("restore to where? no destination is given"),
			"--to DIR, an empty or new directory, or --in-place")
	case kind.Tree:
		return nil
	case place:
		return cli.WithHint(cli.UsageErrorf("--in-place is for directories"), "--load loads a dump")
	case paths:
		return cli.UsageErrorf("a %s can only be restored as a whole: PATHs are for directories", oneLine(kind.Name))
	case load && to && !kind.LoadsTo:
		return cli.WithHint(cli.UsageErrorf("--load and --to are two destinations, give one"), "a dump is loaded into the server that the job is configured for")
	}
	return nil
}

// writeFile writes the dump to a new file. What is not whole is removed.
func (d *streamRestore) writeFile(ctx context.Context) error {
	f, err := os.OpenFile(d.to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return cli.WithHint(fmt.Errorf("destination %q exists", d.to), "give the name of a new file")
	}
	if err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	d.out = f
	err = d.run(ctx)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(d.to)
		return err
	}
	return d.tell("to " + d.to)
}

// tell says that it is done; stdout is free for it unless the dump goes there.
func (d *streamRestore) tell(where string) error {
	if _, err := fmt.Fprintf(d.std.Out, "restored %s as of %s %s\n", d.what(), oneLine(d.point.Date()), oneLine(where)); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// run runs the chain of each archive.
func (d *streamRestore) run(ctx context.Context, sink ...chain.Stage) error {
	for _, a := range d.point.Chain {
		if len(d.point.Chain) > 1 {
			d.log.Notef("reading %s (%s)", a.Name, cli.FormatSize(a.Bytes))
		}
		_, err := d.unpack(ctx, d.key, func() ([]chain.Status, error) {
			stages, err := d.unpackStages(a, d.target.settings, d.key)
			if err != nil {
				return nil, err
			}
			c := chain.Chain{Stages: append(stages, sink...), Out: d.out, Log: d.hear}
			return c.Run(ctx)
		})
		if err != nil {
			return fmt.Errorf("restore %s of run %s: %w", a.Name, a.Run, err)
		}
		d.begun = d.begun || len(sink) > 0
	}
	return nil
}

// loadAll loads the streams where nothing is lost by it.
func (d *streamRestore) loadAll(ctx context.Context) error {
	if err := d.loader.Prepare(ctx); err != nil {
		return err
	}
	sink, err := d.loader.Stages(ctx)
	if err != nil {
		return err
	}
	if err := d.run(ctx, sink...); err != nil {
		return cli.WithHint(d.loader.Explain(err), "what has been loaded %s is not a complete restore", d.loader.Where())
	}
	return d.tell(d.loader.Where())
}

// printPlan prints the commands of the restore.
func (d *streamRestore) printPlan(ctx context.Context) error {
	var sink []chain.Stage
	if d.loader != nil {
		var err error
		if sink, err = d.loader.Stages(ctx); err != nil {
			return err
		}
		before, err := d.loader.Before()
		if err != nil {
			return err
		}
		for _, s := range before {
			fmt.Fprintln(d.std.Out, s)
		}
	}
	for _, a := range d.point.Chain {
		stages, err := d.unpackStages(a, d.target.settings, d.key)
		if err != nil {
			return err
		}
		c := chain.Chain{Stages: append(stages, sink...)}
		line := c.String()
		if d.loader == nil && d.to != "" {
			line += " >>" + chain.Quote(d.to)
		}
		if _, err := io.WriteString(d.std.Out, line+"\n"); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}
