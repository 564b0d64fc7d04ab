package main

import (
	"context"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/check"
	"napback/napback/config"
)

func checkCommand(std cli.Streams) *urfave.Command {
	return command(std, checkJobs, &urfave.Command{
		Name:  "check",
		Usage: "test that the jobs could run now, without running them",
		Description: "Checks the configuration, the programs that backups and restores need, the recipients\n" +
			"and when they expire, the sources (databases are dumped without their rows), that the\n" +
			"buckets answer and their clocks are right, whose archives are in them, free space, the\n" +
			"log, and the mail server. Changes nothing and tells nobody, unless it is asked to. Prints\n" +
			"\"ok\", \"WARN\" or \"BAD\" for each; the exit status is 1 if something is BAD, else 3 with a WARN.",
		Flags: []urfave.Flag{
			&urfave.BoolFlag{Name: "write", Usage: "store a small archive in each bucket, read it back and remove it, as far as the credentials allow"},
			&urfave.BoolFlag{Name: "mail", Usage: "send a test mail to MailTo"},
			&urfave.BoolFlag{Name: "ping", Usage: "call each PingURL, which tells its service of a success"},
		},
	})
}

func checkJobs(c *urfave.Context, e *call, configs []*config.Config) error {
	if c.NArg() > 0 {
		return cli.UsageErrorf("check takes no arguments: it checks all jobs")
	}
	for _, cfg := range configs {
		e.log.Notes(cfg)
	}
	ctx, stop := context.WithCancelCause(c.Context)
	defer stop(nil)
	print := func(state, what string) {
		if err := cli.Printf(e.std.Out, "%-3s %s\n", state, cli.Safe(what)); err != nil {
			stop(err)
		}
	}
	bad, warned := false, false
	r := check.Ready{Host: e.host, Day: e.day, Write: c.Bool("write"), Heard: func(line string) { fmt.Fprintln(e.std.Err, cli.Safe(line)) }}
	for _, flag := range []string{"mail", "ping"} {
		if c.Bool(flag) {
			r.Tell = append(r.Tell, flag)
		}
	}
	r.Doubt = func(what, why string) {
		warned = true
		e.log.Warnf("%s: %s", cli.Safe(what), cli.Safe(why))
		print("WARN", what)
	}
	r.Result = func(what string, err error) {
		state := "ok"
		if err != nil {
			state, bad = "BAD", true
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("%s: %w", what, err))
		}
		print(state, what)
	}
	err := r.Check(ctx, configs)
	switch {
	case err != nil:
		return err
	case bad:
		return cli.Exit(cli.Failed)
	case warned:
		return cli.Exit(cli.Warnings)
	}
	return nil
}
