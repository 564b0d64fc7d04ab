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
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dumpdir"
	"napback/napback/tools"
)

func verifyCommand(std cli.Streams) *urfave.Command {
	return command(std, verify, &urfave.Command{
		Name:      "verify",
		Usage:     "check that backups can be restored",
		ArgsUsage: "[JOB...]",
		Description: "Reads every archive of the jobs' newest chains (of all jobs if none is named) and\n" +
			"checks each chunk. With --secret-key or --unpack it also decrypts and decompresses them\n" +
			"and reads them to their end. Writes nothing.",
		Flags: append([]urfave.Flag{
			atFlag(), ownerFlag(), hostFlag(), unsignedFlag(), acceptFlag(),
			&urfave.BoolFlag{Name: "all", Usage: "every archive that can be restored, not only one chain"},
			&urfave.BoolFlag{Name: "unpack", Usage: "also decrypt (with gpg if there is no --secret-key) and decompress"},
		}, keyFlags()...),
	})
}

// verifier checks archives.
type verifier struct {
	*engine
	key    *secretKey
	unpack bool
	accept bool             // what is not encrypted
	done   map[string]error // by address
}

func verify(c *urfave.Context, e *engine, configs []*config.Config) error {
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.forget()
	if c.Bool("all") && c.IsSet("at") {
		return cli.UsageErrorf("--all and --at exclude each other")
	}
	at, err := catalog.ParseMoment(c.String("at"), time.Local)
	if err != nil {
		return err
	}
	wanted, err := e.wantedTargets(c, configs)
	if err != nil {
		return err
	}
	v := &verifier{engine: e, key: key, unpack: c.Bool("unpack") || key.file != "", accept: c.Bool("accept-unencrypted"), done: map[string]error{}}
	var bad []error
	for _, t := range wanted {
		if err := v.job(c, t, at); err != nil {
			if c.Context.Err() != nil {
				return context.Cause(c.Context)
			}
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("job %q: %w", t.name, err))
			bad = append(bad, err)
		}
	}
	return worst(bad)
}

// worst returns an error that prints nothing, with the exit code of the gravest:
// damage before absence before anything else.
func worst(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	code := cli.Failed
	for _, err := range errs {
		switch s := cli.ExitStatus(err); {
		case s == cli.Integrity, s == cli.NotFound && code == cli.Failed:
			code = s
		}
	}
	return cli.Exit(code)
}

// job verifies the archives of a job.
func (v *verifier) job(c *urfave.Context, t target, at catalog.Moment) error {
	var archives []catalog.Entry
	broken := map[string]error{} // by address: it builds on what is not there
	if c.Bool("all") {
		a, _, err := v.archives(c.Context, t, choiceOf(c))
		if err != nil {
			return err
		}
		if w := a.Warning(catalog.Point{}); w != "" {
			v.log.Warnf("job %q: %s", t.name, oneLine(w))
		}
		if archives = slices.Concat(a.All, a.Unreadable); len(archives) == 0 {
			return cli.Errorf(cli.NotFound, "it has no archives")
		}
		for _, p := range a.Points() {
			broken[p.Address()] = p.Broken
		}
	} else {
		p, err := v.point(c.Context, t, choiceOf(c), at)
		if err != nil {
			return err
		}
		archives = p.Chain
	}
	var bad []error
	for _, a := range archives {
		err, known := v.done[a.Address()]
		if !known {
			err = v.one(c.Context, t, a)
			if err == nil && broken[a.Address()] != nil {
				err = cli.Errorf(cli.NotFound, "it cannot be restored: %w", broken[a.Address()])
			}
			v.done[a.Address()] = err
		}
		if c.Context.Err() != nil {
			return context.Cause(c.Context)
		}
		verdict := "ok"
		if err != nil {
			verdict = "BAD"
			bad = append(bad, err)
		}
		if _, err := fmt.Fprintf(v.std.Out, "%s %s %s %s\n", verdict, oneLine(a.Address()), oneLine(a.Date()), cli.FormatSize(a.Bytes)); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return cli.WithCode(cli.ExitStatus(worst(bad)), errors.Join(bad...))
}

// one verifies one run of a job.
func (v *verifier) one(ctx context.Context, t target, a catalog.Entry) error {
	if a.State == catalog.Unreadable {
		return cli.Errorf(cli.Integrity, "%s of run %s: its manifest cannot be read: %s", a.Name, a.Run, oneLine(a.Error))
	}
	if err := t.trust(a, v.accept); err != nil {
		return err
	}
	return v.archive(ctx, a, t.settings)
}

// archive verifies one archive.
func (v *verifier) archive(ctx context.Context, a catalog.Entry, set *config.Settings) error {
	if v.unpack {
		if _, ok := isDirectory(a); !ok {
			return fmt.Errorf("%s: the contents of sources of the kind of %q cannot be checked yet", a.Name, a.Source())
		}
		n := 0
		err := v.members(ctx, a, set, v.key, false, func(m *dumpdir.Member) error { n++; return nil })
		v.log.Verbosef("%s holds %s", a.Name, cli.Plural(n, "member", "members"))
		return err
	}
	get, err := tools.Open(v.kit, set, v.hear).Verify(a)
	if err != nil {
		return err
	}
	c := chain.Chain{Stages: []chain.Stage{get}, Log: v.hear}
	if _, err := c.Run(ctx); err != nil {
		return fmt.Errorf("verify %s: %w", strings.TrimPrefix(a.Address(), a.Bucket+":"), tools.Explain(ctx, err))
	}
	return nil
}
