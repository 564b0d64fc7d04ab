package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dump"
	"napback/napback/jobs"
	"napback/napback/restore"
	"napback/napback/tools"
)

// dumpLoader loads the dumps of a database or a repository.
type dumpLoader struct {
	kit      tools.Kit
	log      *journal
	ask      func(context.Context, dump.Command) (string, error)
	settings *config.Settings
	kind     config.Kind
	source   string // as the configuration says, or the archive
	to       string // a new repository; "" = the source
}

var _ restore.Loader = (*dumpLoader)(nil)

// newLoader returns what loads archives of a source.
func (e *engine) newLoader(t jobs.Target, kind config.Kind, source, to string) *dumpLoader {
	if j := t.Job; j != nil && j.Kind == kind {
		source = j.Source // that of this host, with its own server
	}
	return &dumpLoader{kit: e.kit, log: e.log, ask: e.ask, settings: t.Settings, kind: kind, source: source, to: to}
}

// Where says where the dumps are loaded.
func (d *dumpLoader) Where() string {
	if d.kind == config.Subversion {
		return "to " + string(d.repository())
	}
	return "into the server"
}

// Explain adds what the server or its setup lack.
func (d *dumpLoader) Explain(err error) error {
	if strings.Contains(err.Error(), "max_allowed_packet") {
		err = cli.WithHint(err, "set max_allowed_packet of the server to 1G while it is loaded")
	}
	if strings.Contains(err.Error(), "role ") && strings.Contains(err.Error(), "does not exist") {
		err = cli.WithHint(err, "the dump of one database has no roles: create them, or restore the job of all databases")
	}
	return err
}

// Before is the command that makes a repository.
func (d *dumpLoader) Before() ([]chain.Stage, error) {
	if d.kind != config.Subversion {
		return nil, nil
	}
	create, err := commandStage(d.kit, d.repository().Create())
	return []chain.Stage{create}, err
}

// Stages load a dump from their stdin.
func (d *dumpLoader) Stages(ctx context.Context) ([]chain.Stage, error) {
	if d.kind == config.Subversion {
		s, err := commandStage(d.kit, d.repository().Load())
		return []chain.Stage{s}, err
	}
	server, format := dumpOf(d.kind, d.source, d.settings)
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
	switch set := d.settings; {
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
func (d *dumpLoader) repository() dump.Subversion {
	if d.to != "" {
		return dump.Subversion(d.to)
	}
	return dump.Subversion(d.source)
}

// Prepare makes sure that loading replaces nothing.
func (d *dumpLoader) Prepare(ctx context.Context) error {
	if d.kind == config.Subversion {
		return d.prepareRepository(ctx)
	}
	server, _ := dumpOf(d.kind, d.source, d.settings)
	present, err := d.ask(ctx, server.Present())
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

// prepareRepository makes an empty repository, or checks that there is one.
func (d *dumpLoader) prepareRepository(ctx context.Context) error {
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
