package restore

import (
	"errors"
	"fmt"
	"io/fs"

	"napback/internal/cli"
	"napback/napback/nofollow"
	"napback/napback/source/tar"
)

// findSource opens the source for a restore in place. A link above it or in its
// place is refused: nobody can tell where it will lead next. That it is not
// there is no error.
func (r *Tree) findSource() error {
	tree, err := nofollow.OpenBelow("/", tar.Listed(r.Source))
	var o *nofollow.Obstacle
	switch {
	case err == nil:
		r.tree = tree
	case errors.As(err, &o):
		return cli.WithHint(cli.WithCode(cli.Integrity, fmt.Errorf("restore in place to %q: /%w", r.Source, err)),
			"put the directory back by hand, or restore --to another directory")
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// makeSource makes the source, with the directories above it, if it is not there. It
// follows no links.
func (r *Tree) makeSource() error {
	if r.tree != nil {
		return nil
	}
	root, err := nofollow.Open("/")
	if err == nil {
		defer root.Close()
		err = root.MkdirAll(tar.Listed(r.Source), 0o755)
	}
	if err != nil {
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
