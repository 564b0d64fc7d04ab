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
		Description: "Checks the configuration, the programs that backups and restores need, the recipients,\n" +
			"the sources, DiffDir, and that the bucket answers. Changes nothing.",
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
	r := check.Ready{Host: e.machine(), Day: e.day, Find: e.finder(), Heard: func(line string) { fmt.Fprintln(e.std.Err, cli.Safe(line)) }}
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
