package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/unpack"
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

func verify(c *urfave.Context, e *call, configs []*config.Config) error {
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.Close()
	if c.Bool("all") && c.IsSet("at") {
		return cli.UsageErrorf("--all and --at exclude each other")
	}
	at, err := catalog.ParseMoment(c.String("at"), time.Local)
	if err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	v := &verifier{find: e.finder(), from: unpack.Reader{Kit: e.kit, Key: key, Log: e.log}, out: e.std.Out, who: choiceOf(c), all: c.Bool("all"), at: at,
		unpack: c.Bool("unpack") || key.InFile(), acceptPlain: c.Bool("accept-unencrypted"), done: map[string]error{}}
	var bad []error
	for _, t := range wanted {
		if err := v.job(c.Context, t); err != nil {
			if c.Context.Err() != nil {
				return context.Cause(c.Context)
			}
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("job %q: %w", t.Name, err))
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

// verifier checks the archives of jobs, each once.
type verifier struct {
	find        jobs.Finder
	from        unpack.Reader
	out         io.Writer
	who         jobs.Choice
	all         bool           // all archives, else those of
	at          catalog.Moment // this
	unpack      bool
	acceptPlain bool             // what is not encrypted
	done        map[string]error // by address
}

// job verifies the archives of a job.
func (v *verifier) job(ctx context.Context, t jobs.Target) error {
	archives, broken, err := v.choose(ctx, t)
	if err != nil {
		return err
	}
	var bad []error
	for _, a := range archives {
		err, known := v.done[a.Address()]
		if !known {
			err = v.one(ctx, t, a)
			if err == nil && broken[a.Address()] != nil {
				err = cli.Errorf(cli.NotFound, "it cannot be restored: %w", broken[a.Address()])
			}
			v.done[a.Address()] = err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		state := "ok"
		if err != nil {
			state = "BAD"
			bad = append(bad, err)
		}
		if err := cli.Printf(v.out, "%s %s %s %s\n", state, cli.Safe(a.Address()), cli.Safe(a.Date()), cli.FormatSize(a.Bytes)); err != nil {
			return err
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return cli.WithCode(cli.ExitStatus(worst(bad)), errors.Join(bad...))
}

// choose returns what is to be verified of a job. broken tells, by address, which
// builds on what is not there.
func (v *verifier) choose(ctx context.Context, t jobs.Target) (archives []catalog.Entry, broken map[string]error, err error) {
	if !v.all {
		p, err := v.find.Point(ctx, t, v.who, v.at)
		return p.Chain, nil, err
	}
	a, _, err := v.find.Archives(ctx, t, v.who)
	if err != nil {
		return nil, nil, err
	}
	v.find.Warn(t, a, catalog.RecoveryPoint{})
	if archives = slices.Concat(a.All, a.Unreadable); len(archives) == 0 {
		return nil, nil, cli.Errorf(cli.NotFound, "it has no archives")
	}
	broken = map[string]error{}
	for _, p := range a.Points() {
		broken[p.Address()] = p.Broken
	}
	return archives, broken, nil
}

// one verifies one run of a job.
func (v *verifier) one(ctx context.Context, t jobs.Target, a catalog.Entry) error {
	if a.State == catalog.Unreadable {
		return cli.Errorf(cli.Integrity, "%s of run %s: its manifest cannot be read: %s", a.Name, a.Run, cli.Safe(a.Error))
	}
	if err := t.Trust(a, v.acceptPlain); err != nil {
		return err
	}
	from := v.from
	from.Settings = t.Settings
	if !v.unpack {
		return from.Verify(ctx, a)
	}
	dir, ok := jobs.Directory(a)
	if !ok {
		return fmt.Errorf("%s: the contents of sources of the kind of %q cannot be checked yet", a.Name, a.Source())
	}
	n, err := from.Count(ctx, a, dir)
	from.Log.Verbosef("%s holds %s", a.Name, cli.Plural(n, "member", "members"))
	return err
}
