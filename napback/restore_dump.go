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
	"napback/napback/dump"
	"napback/napback/tools"
)

// dumpRestore brings back a database or a repository:
//
//  1. The chain of the moment is planned, as for a Directory. Databases have one
//     FULL; the dumps of a repository's FULL and DIFFs, one after the other, are
//     one dump.
//  2. Where it goes is checked: a file that does not exist; or, with --load, a
//     server without this database, or an empty or new repository.
//  3. Each archive is read, verified, decrypted, decompressed, and written or
//     loaded, by one chain of processes, oldest first.
type dumpRestore struct {
	*restore
	kind   config.Kind
	source string // as the configuration says, or the archive
	load   bool
	out    *os.File
	begun  bool // something may have been loaded
}

// kindOf returns what an archive was made of.
func kindOf(source string) (config.Kind, string) {
	kind, name, _ := strings.Cut(source, " ")
	return config.Kind(kind), name
}

// restoreDump restores an archive that is not one of a Directory.
func (r *restore) restoreDump(ctx context.Context, load, pretend bool) error {
	d := &dumpRestore{restore: r, load: load}
	d.kind, d.source = kindOf(r.point.Source())
	if j := r.target.job; j != nil && j.Kind == d.kind {
		d.source = j.Source // that of this host, with its own server
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
	out, ok := r.std.Out.(*os.File)
	if !ok {
		return errors.New("restore: stdout is not a file")
	}
	d.out = out
	return d.run(ctx)
}

// checkDumpUsage refuses what cannot be meant with a kind of source.
func checkDumpUsage(kind config.Kind, place, load, to, paths bool) error {
	switch {
	case kind == config.Directory && load:
		return cli.UsageErrorf("--load is for databases and repositories")
	case kind == config.Directory && !place && !to:
		return cli.WithHint(cli.UsageErrorf("restore to where? no destination is given"),
			"--to DIR, an empty or new directory, or --in-place")
	case kind == config.Directory:
		return nil
	case place:
		return cli.WithHint(cli.UsageErrorf("--in-place is for directories"), "--load loads a dump")
	case paths:
		return cli.UsageErrorf("a %s can only be restored as a whole: PATHs are for directories", kind)
	case load && to && kind != config.Subversion:
		return cli.WithHint(cli.UsageErrorf("--load and --to are two destinations, give one"), "a dump is loaded into the server that the job is configured for")
	}
	return nil
}

// writeFile writes the dump to a new file. What is not whole is removed.
func (d *dumpRestore) writeFile(ctx context.Context) error {
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
func (d *dumpRestore) tell(where string) error {
	if _, err := fmt.Fprintf(d.std.Out, "restored %s as of %s %s\n", d.what(), oneLine(d.point.Date()), oneLine(where)); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	return nil
}

// run runs the chain of each archive.
func (d *dumpRestore) run(ctx context.Context, sink ...chain.Stage) error {
	for _, a := range d.point.Chain {
		if len(d.point.Chain) > 1 {
			d.log.Notef("reading %s (%s)", a.Name, cli.FormatSize(a.Bytes))
		}
		_, err := d.unpack(ctx, d.key, func() ([]chain.Status, error) {
			stages, err := d.unpackStages(a, d.target.settings, d.key)
			if err != nil {
				return nil, err
			}
			c := chain.Chain{Stages: append(stages, sink...), Stdout: d.out, Log: d.hear}
			return c.Run(ctx)
		})
		if err != nil {
			return fmt.Errorf("restore %s of run %s: %w", a.Name, a.Run, err)
		}
		d.begun = d.begun || len(sink) > 0
	}
	return nil
}

// loadAll loads the dumps where nothing is lost by it.
func (d *dumpRestore) loadAll(ctx context.Context) error {
	where, err := d.prepareLoad(ctx)
	if err != nil {
		return err
	}
	sink, err := d.sink(ctx)
	if err != nil {
		return err
	}
	if err := d.run(ctx, sink...); err != nil {
		if strings.Contains(err.Error(), "max_allowed_packet") {
			err = cli.WithHint(err, "set max_allowed_packet of the server to 1G while it is loaded")
		}
		if strings.Contains(err.Error(), "role ") && strings.Contains(err.Error(), "does not exist") {
			err = cli.WithHint(err, "the dump of one database has no roles: create them, or restore the job of all databases")
		}
		return cli.WithHint(err, "what has been loaded %s is not a complete restore", where)
	}
	return d.tell(where)
}

// sink is what loads a dump from its stdin.
func (d *dumpRestore) sink(ctx context.Context) ([]chain.Stage, error) {
	if d.kind == config.Subversion {
		s, err := commandStage(d.kit, d.repository().Load())
		return []chain.Stage{s}, err
	}
	server, format := dumpOf(d.kind, d.source, d.target.settings)
	s, err := commandStage(d.kit, server.Load())
	client, ok := server.(dump.PostgreSQL)
	if err != nil || !ok {
		return []chain.Stage{s}, err
	}
	version, err := d.ask(ctx, client.Version())
	if err != nil {
		return nil, err
	}
	path, err := d.kit.Sibling("napback")
	args := []string{tools.SQL}
	switch set := d.target.settings; {
	case client.Restricts(version):
		args = append(args, "--restrict")
	case len(set.VerifyKeys) > 0 && !set.AcceptUnsigned:
		d.log.Notef("psql is too old to be told to obey no commands of the dump; napback looks for them, but update it")
	default:
		// Where a statement, a quote or a comment ends is not the same to all
		// psqls, and depends on settings: who only reads along can be fooled.
		return nil, cli.WithHint(errors.New("psql is too old to be told to obey no commands of a dump: one from somebody else could run programs"),
			"update psql (13.22, 14.19, 15.14, 16.10, 17.6 or later); or, if you trust the bucket, load what restore writes to stdout by hand")
	}
	all := []chain.Stage{d.kit.Stage("napback", path, args), s}
	if format == dump.FormatPostgreSQLAll {
		all = append([]chain.Stage{d.kit.Stage("napback", path, []string{tools.Roles})}, all...)
	}
	return all, err
}

// repository is where a repository is loaded.
func (d *dumpRestore) repository() dump.Subversion {
	if d.to != "" {
		return dump.Subversion(d.to)
	}
	return dump.Subversion(d.source)
}

// prepareLoad makes sure that loading replaces nothing, and returns where it
// will be.
func (d *dumpRestore) prepareLoad(ctx context.Context) (where string, err error) {
	if d.kind == config.Subversion {
		return "to " + string(d.repository()), d.prepareRepository(ctx)
	}
	server, _ := dumpOf(d.kind, d.source, d.target.settings)
	present, err := d.ask(ctx, server.Present())
	if err != nil {
		return "", fmt.Errorf("look what the server has: %w", err)
	}
	if present != "" {
		first, _, _ := strings.Cut(present, "\n")
		return "", cli.WithHint(fmt.Errorf("the server has the database %q: loading would mix the backup into it", first),
			"drop it first; or restore --to FILE, and load that by hand")
	}
	return "into the server", nil
}

// prepareRepository makes an empty repository, or checks that there is one.
func (d *dumpRestore) prepareRepository(ctx context.Context) error {
	repository := d.repository()
	if _, err := os.Lstat(string(repository)); errors.Is(err, fs.ErrNotExist) {
		_, err := d.ask(ctx, repository.Create())
		return err
	}
	youngest, err := d.ask(ctx, repository.Youngest())
	if err == nil && youngest != "0" {
		err = cli.WithHint(fmt.Errorf("repository %q has revisions already, up to %s", repository, youngest), "--to DIR loads into a new one")
	}
	return err
}

// printPlan prints the commands of the restore.
func (d *dumpRestore) printPlan(ctx context.Context) error {
	var sink []chain.Stage
	if d.load {
		var err error
		if sink, err = d.sink(ctx); err != nil {
			return err
		}
		if d.kind == config.Subversion {
			create, err := commandStage(d.kit, d.repository().Create())
			if err != nil {
				return err
			}
			fmt.Fprintln(d.std.Out, create)
		}
	}
	for _, a := range d.point.Chain {
		stages, err := d.unpackStages(a, d.target.settings, d.key)
		if err != nil {
			return err
		}
		c := chain.Chain{Stages: append(stages, sink...)}
		line := c.String()
		if !d.load && d.to != "" {
			line += " >>" + chain.Quote(d.to)
		}
		if _, err := io.WriteString(d.std.Out, line+"\n"); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}
