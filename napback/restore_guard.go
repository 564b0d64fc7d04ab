package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/confine"
	"napback/napback/guard"
	"napback/napback/nofollow"
	"napback/napback/source/tar"
	"napback/napback/tools"
)

// guardMemory is what the guard gets by with, as the kernel would count it.
const guardMemory = 200 << 20

// guardCommand is the stage before every tar.
func guardCommand(std cli.Streams) *urfave.Command {
	return filter(&urfave.Command{
		Name:      tools.Guard,
		Usage:     "copy a tar archive of a directory, as long as tar can extract it safely",
		ArgsUsage: "SOURCE",
		Flags:     []urfave.Flag{&urfave.StringSliceFlag{Name: "not-dir", Usage: "refuse a directory of this `NAME`"}},
		Action: func(c *urfave.Context) error {
			if c.NArg() != 1 || !isCleanPath(c.Args().First()) {
				return cli.UsageErrorf("%s: want the path of the source", tools.Guard)
			}
			debug.SetMemoryLimit(guardMemory)
			return guard.Copy(std.Out, std.In, guard.Policy{Source: c.Args().First(), NotDirs: c.StringSlice("not-dir")})
		},
	})
}

// confineCommand becomes tar.
func confineCommand() *urfave.Command {
	return filter(&urfave.Command{
		Name:            tools.Confined,
		Usage:           "run a program that can write below a directory only",
		ArgsUsage:       "DIR PROGRAM [ARG...]",
		SkipFlagParsing: true,
		Action: func(c *urfave.Context) error {
			if c.NArg() < 2 {
				return cli.UsageErrorf("%s: want DIR PROGRAM [ARG...]", tools.Confined)
			}
			words := c.Args().Slice()
			return confine.Exec(words[0], words[1], append([]string{"tar"}, words[2:]...), os.Environ())
		},
	})
}

// tarStage is tar with arguments, confined to where it is to write if the system
// can do that.
func (r *restore) tarStage(args []string) (chain.Stage, error) {
	if confine.Supported() != nil {
		return r.kit.Stage("tar", r.tar, args), nil
	}
	path, err := r.kit.Sibling("napback")
	below := r.to
	if r.place {
		below = r.source
	}
	return r.kit.Stage("tar", path, append([]string{tools.Confined, below, r.tar}, args...)), err
}

// checkWay makes sure that what the next archive's paths (none = all) are in is
// there as directories, without links, or not at all. It returns the paths that
// must not come as directories, since they are none on disk.
func (r *restore) checkWay(paths []string) (notDirs []string, err error) {
	if len(paths) == 0 {
		paths = []string{tar.Listed(r.source)}
	}
	for _, p := range paths {
		way, err := r.tree.InTheWay(p)
		if err != nil {
			return nil, err
		}
		if way != "" {
			return nil, cli.Errorf(cli.Integrity, "refused: member %q: on disk, %q is not a directory", p, filepath.Join(r.to, way))
		}
		info, err := r.tree.Lstat(p)
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			notDirs = append(notDirs, p)
		}
	}
	return notDirs, nil
}

// closeTree ends the use of the destination.
func (r *restore) closeTree() {
	if r.tree != nil {
		r.tree.Close()
	}
}

// findSource opens the source for a restore in place. A link above it or in its
// place is refused: nobody can tell where it will lead next. That it is not
// there is no error.
func (r *restore) findSource() error {
	tree, err := openSource(r.source)
	if err == nil {
		r.tree = tree
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// makeSource makes the source if it is not there.
func (r *restore) makeSource() error {
	if r.tree != nil {
		return nil
	}
	if err := makeDirectory(r.source); err != nil {
		return fmt.Errorf("make the source: %w", err)
	}
	if err := r.findSource(); err != nil {
		return err
	}
	if r.tree == nil {
		return errors.New("make the source: it is gone again")
	}
	return nil
}

// openSource opens a directory of the file system without following links.
func openSource(source string) (*nofollow.Tree, error) {
	tree, err := nofollow.OpenBelow("/", tar.Listed(source))
	var o *nofollow.Obstacle
	if errors.As(err, &o) {
		return nil, cli.WithHint(cli.WithCode(cli.Integrity, fmt.Errorf("restore in place to %q: /%w", source, err)),
			"put the directory back by hand, or restore --to another directory")
	}
	return tree, err
}

// makeDirectory makes a directory of the file system, with those above it,
// without following links.
func makeDirectory(dir string) error {
	root, err := nofollow.Open("/")
	if err != nil {
		return err
	}
	defer root.Close()
	return root.MkdirAll(tar.Listed(dir), 0o755)
}
