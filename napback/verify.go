package main

import (
	"errors"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/check"
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
			"and reads them to their end: dumps have to end as their programs end them, and those of\n" +
			"repositories to hold the revisions that are wanted. Writes nothing.\n\n" +
			"Prints \"ok\", \"BAD\" or, with the reason, \"skip\" for what could not be looked at. The exit\n" +
			"status is 5 or 4 if something is BAD, 1 if something could not be read or opened, and 3 if\n" +
			"nobody can judge what is in an archive and all the rest is well.",
		Flags: append([]urfave.Flag{
			atFlag(), ownerFlag(), hostFlag(), unsignedFlag(), acceptFlag(),
			&urfave.BoolFlag{Name: "all", Usage: "every archive that can be restored, not only one chain"},
			&urfave.BoolFlag{Name: "unpack", Usage: "also decrypt (with gpg if there is no --secret-key), decompress and read to the end"},
		}, keyFlags()...),
	})
}

func verify(c *urfave.Context, e *call, configs []*config.Config) error {
	key, err := keyOf(c)
	if err != nil {
		return err
	}
	defer key.Close()
	at, err := momentOf(c, "all")
	if err != nil {
		return err
	}
	wanted, err := e.wanted(c, configs)
	if err != nil {
		return err
	}
	v := &check.Verifier{Find: e.finder(), From: unpack.Reader{Kit: e.host.Kit, Key: key, Log: e.log, Progress: e.progress}, Who: choiceOf(c), All: c.Bool("all"), At: at,
		Unpack: c.Bool("unpack") || key.InFile(), AcceptPlain: c.Bool("accept-unencrypted")}
	v.Result = func(a catalog.Entry, err error) error {
		state, why := "ok", ""
		if errors.As(err, new(*check.Unjudged)) {
			state, why = "skip", "  "+cli.Safe(cli.FirstLine(err.Error()))
		} else if err != nil {
			state = "BAD"
		}
		return cli.Printf(e.std.Out, "%s %s %s %s%s\n", state, cli.Safe(a.Address()), cli.Safe(a.Date()), cli.FormatSize(a.Bytes), why)
	}
	return v.Jobs(c.Context, wanted, func(t jobs.Target, err error) {
		cli.PrintError(e.std.Err, "napback", fmt.Errorf("job %q: %w", t.Name, err))
	})
}
