package main

import (
	"cmp"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/run"
)

func adoptCommand(std cli.Streams) *urfave.Command {
	return command(std, adoptJob, &urfave.Command{
		Name:      "adopt",
		Usage:     "go on with archives that another state has stored",
		ArgsUsage: "JOB",
		Description: "The job goes on under the owner's id, and from now on its archives are retired as its\n" +
			"own. The next backup is a FULL. For a host that was renamed or set up anew; never\n" +
			"while the other still stores under this name.",
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "owner", Usage: "adopt the archives of the owner `ID`, - for those without an owner; default: the only one that there is"},
		},
	})
}

func adoptJob(c *urfave.Context, e *call, configs []*config.Config) error {
	if c.NArg() != 1 {
		return cli.UsageErrorf("adopt which job? name one")
	}
	t, err := e.finder().Find(c.Context, configs, c.Args().First())
	if err != nil {
		return err
	}
	if err := t.Whole(c.Args().First()); err != nil {
		return err
	}
	if err := notInside(t, "adopt"); err != nil {
		return err
	}
	if t.Job == nil {
		return cli.Errorf(cli.NotFound, "job %q is not configured: it has no state to adopt for", t.Name)
	}
	release, err := run.Lock(configs)
	if err != nil {
		return err
	}
	defer release()
	owner := c.String("owner")
	if c.IsSet("owner") {
		owner = cmp.Or(owner, backup.NoOwner)
	}
	owner, n, err := e.host.Adopt(c.Context, t.Job, e.day, owner)
	if err != nil {
		return err
	}
	return cli.Printf(e.std.Out, "adopted %s; %s goes on as owner %s, with a FULL\n", cli.Plural(n, "archive", "archives"), cli.Safe(t.Name), owner)
}
