package main

import (
	"crypto/rand"
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/programs"
	"napback/napback/source/dump"
)

// filters are the stages that napback itself is. They copy stdin to stdout.
func filters(std cli.Streams) []*urfave.Command {
	return []*urfave.Command{
		filter(&urfave.Command{
			Name:      programs.Whole,
			Usage:     "copy a dump, and fail unless it is whole",
			ArgsUsage: "FORMAT [FROM:TO]",
			Action: func(c *urfave.Context) error {
				if c.NArg() < 1 || c.NArg() > 2 {
					return cli.UsageErrorf("%s: want FORMAT [FROM:TO]", programs.Whole)
				}
				n, err := dump.Copy(std.Out, std.In, dump.Format(c.Args().First()), c.Args().Get(1))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(std.Err, "napback: %d bytes\n", n)
				return err
			},
		}),
		filter(&urfave.Command{
			Name:  programs.Roles,
			Usage: "copy a dump of pg_dumpall that creates only the roles that do not exist",
			Action: func(c *urfave.Context) error {
				if c.NArg() > 0 {
					return cli.UsageErrorf("%s takes no arguments", programs.Roles)
				}
				return dump.OnceRoles(std.Out, std.In)
			},
		}),
		filter(&urfave.Command{
			Name:  programs.SQL,
			Usage: "copy a dump for psql, unless it holds commands that no dump has",
			Flags: []urfave.Flag{&urfave.BoolFlag{Name: "restrict", Usage: "have psql refuse them, too"}},
			Action: func(c *urfave.Context) error {
				if c.NArg() > 0 {
					return cli.UsageErrorf("%s takes no arguments", programs.SQL)
				}
				key := ""
				if c.Bool("restrict") {
					key = rand.Text()
				}
				return dump.SafeSQL(std.Out, std.In, key)
			},
		}),
		guardCommand(std),
		sealedCommand(std),
		confineCommand(),
	}
}

func filter(c *urfave.Command) *urfave.Command {
	c.Hidden, c.HideHelpCommand = true, true
	c.OnUsageError = func(_ *urfave.Context, err error, _ bool) error { return &usageError{err} }
	return c
}
