package main

import (
	"os"
	"runtime/debug"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/confine"
	"napback/napback/guard"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/unpack"
)

// guardMemory is what the guard gets by with, as the kernel would count it.
const guardMemory = 200 << 20

// guardCommand is the stage before every tar.
func guardCommand(std cli.Streams) *urfave.Command {
	return filter(&urfave.Command{
		Name:      programs.Guard,
		Usage:     "copy a tar archive of a directory, as long as tar can extract it safely",
		ArgsUsage: "SOURCE",
		Flags:     []urfave.Flag{&urfave.StringSliceFlag{Name: "not-dir", Usage: "refuse a directory of this `NAME`"}},
		Action: func(c *urfave.Context) error {
			if c.NArg() != 1 || !source.IsCleanPath(c.Args().First()) {
				return cli.UsageErrorf("%s: want the path of the source", programs.Guard)
			}
			debug.SetMemoryLimit(guardMemory)
			return guard.Copy(std.Out, std.In, guard.Policy{Source: c.Args().First(), NotDirs: c.StringSlice("not-dir")})
		},
	})
}

// sealedCommand is the stage before gpg, which passes on what is in a message
// also if that is not encrypted.
func sealedCommand(std cli.Streams) *urfave.Command {
	return filter(&urfave.Command{
		Name:  programs.Sealed,
		Usage: "copy an OpenPGP message, if it is encrypted",
		Action: func(c *urfave.Context) error {
			if c.NArg() > 0 {
				return cli.UsageErrorf("%s takes no arguments", programs.Sealed)
			}
			return unpack.CopySealed(std.Out, std.In)
		},
	})
}

// confineCommand becomes tar.
func confineCommand() *urfave.Command {
	return filter(&urfave.Command{
		Name:            programs.Confined,
		Usage:           "run a program that can write below a directory only",
		ArgsUsage:       "DIR PROGRAM [ARG...]",
		SkipFlagParsing: true,
		Action: func(c *urfave.Context) error {
			if c.NArg() < 2 {
				return cli.UsageErrorf("%s: want DIR PROGRAM [ARG...]", programs.Confined)
			}
			words := c.Args().Slice()
			return confine.Exec(words[0], words[1], append([]string{"tar"}, words[2:]...), os.Environ())
		},
	})
}
