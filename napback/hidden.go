package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"runtime/debug"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/confine"
	"napback/napback/guard"
	"napback/napback/programs"
	"napback/napback/runas"
	"napback/napback/source"
	"napback/napback/source/dump"
	"napback/napback/unpack"
)

// guardMemory is what the guard gets by with, as the kernel would count it.
const guardMemory = 200 << 20

// filters are the stages that napback itself is. They copy stdin to stdout.
func filters(std cli.Streams) []*urfave.Command {
	return append(dumpFilters(std), archiveFilters(std)...)
}

// dumpFilters are those of dumps.
func dumpFilters(std cli.Streams) []*urfave.Command {
	return []*urfave.Command{
		filter(1, 2, func(c *urfave.Context) error {
			n, err := dump.Copy(std.Out, std.In, dump.Format(c.Args().First()), c.Args().Get(1))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(std.Err, "napback: %d bytes\n", n)
			return err
		}, &urfave.Command{Name: programs.Whole, Usage: "copy a dump, and fail unless it is whole", ArgsUsage: "FORMAT [FROM:TO]"}),
		filter(0, 0, func(*urfave.Context) error { return dump.OnceRoles(std.Out, std.In) },
			&urfave.Command{Name: programs.Roles, Usage: "copy a dump of pg_dumpall that creates only the roles that do not exist"}),
		filter(0, 0, func(c *urfave.Context) error {
			key := ""
			if c.Bool("restrict") {
				key = rand.Text()
			}
			return dump.SafeSQL(std.Out, std.In, key, dump.Other{Of: c.String("of"), As: c.String("as")})
		}, &urfave.Command{
			Name: programs.SQL, Usage: "copy a dump for psql, unless it holds commands that no dump has",
			Flags: []urfave.Flag{
				&urfave.BoolFlag{Name: "restrict", Usage: "have psql refuse them, too"},
				&urfave.StringFlag{Name: "as", Usage: "call the database `NAME`"},
				&urfave.StringFlag{Name: "of", Usage: "in place of `NAME`"},
			},
		}),
		filter(0, 0, func(*urfave.Context) error { return dump.Roles(std.Out, std.In) },
			&urfave.Command{Name: programs.NeededRoles, Usage: "print the roles that a dump of PostgreSQL needs"}),
		filter(2, 2, func(c *urfave.Context) error {
			return dump.RenameMySQL(std.Out, std.In, dump.Other{Of: c.Args().Get(0), As: c.Args().Get(1)})
		}, &urfave.Command{Name: programs.Rename, Usage: "copy a dump of MySQL, and give its database another name", ArgsUsage: "NAME OTHER", SkipFlagParsing: true}),
	}
}

// archiveFilters are the stages around archives, and those that become a program.
func archiveFilters(std cli.Streams) []*urfave.Command {
	return []*urfave.Command{
		// The stage before every tar.
		filter(1, 1, func(c *urfave.Context) error {
			dir := c.Args().First()
			if !source.IsCleanPath(dir) {
				return cli.UsageErrorf("%s: want the path of the source", programs.Guard)
			}
			debug.SetMemoryLimit(guardMemory)
			return guard.Copy(std.Out, std.In, guard.Policy{Source: dir, NotDirs: c.StringSlice("not-dir")})
		}, &urfave.Command{
			Name: programs.Guard, Usage: "copy a tar archive of a directory, as long as tar can extract it safely", ArgsUsage: "SOURCE",
			Flags: []urfave.Flag{&urfave.StringSliceFlag{Name: "not-dir", Usage: "refuse a directory of this `NAME`"}},
		}),
		// The stage before gpg, which passes on what is in a message also if that is
		// not encrypted.
		filter(0, 0, func(*urfave.Context) error { return unpack.CopySealed(std.Out, std.In) },
			&urfave.Command{Name: programs.Sealed, Usage: "copy an OpenPGP message, if it is encrypted"}),
		// The stage that becomes tar.
		filter(2, -1, func(c *urfave.Context) error {
			words := c.Args().Slice()
			return confine.Exec(words[0], words[1], append([]string{"tar"}, words[2:]...), os.Environ())
		}, &urfave.Command{
			Name: programs.Confined, Usage: "run a program that can write below a directory only", ArgsUsage: "DIR PROGRAM [ARG...]",
			SkipFlagParsing: true,
		}),
		// The stage that becomes a program of another user. Its own failures look like
		// none of the program's.
		filter(2, -1, func(c *urfave.Context) error {
			words := c.Args().Slice()
			return cli.WithCode(runas.CannotRun, runas.Exec(words[0], words[1], words[2:]))
		}, &urfave.Command{
			Name: programs.As, Usage: "run a program as another user", ArgsUsage: "USER PROGRAM [ARG...]", SkipFlagParsing: true,
		}),
	}
}

// filter makes a hidden command that takes least to most arguments, or with -1 any
// number more.
func filter(least, most int, do urfave.ActionFunc, c *urfave.Command) *urfave.Command {
	c.Hidden, c.HideHelpCommand = true, true
	c.OnUsageError = func(_ *urfave.Context, err error, _ bool) error { return &usageError{err} }
	c.Action = func(ctx *urfave.Context) error {
		switch n := ctx.NArg(); {
		case n > 0 && most == 0:
			return cli.UsageErrorf("%s takes no arguments", c.Name)
		case n < least, n > most && most > 0:
			return cli.UsageErrorf("%s: want %s", c.Name, c.ArgsUsage)
		}
		return do(ctx)
	}
	return c
}
