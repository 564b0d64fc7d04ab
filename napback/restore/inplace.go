package restore

import (
	"errors"
	"fmt"
	"io/fs"

	"napback/internal/cli"
	"napback/napback/nofollow"
	"napback/napback/source/tar"
)

// checkGround refuses, before anything is read, a restore in place that would pull
// the ground from under the system.
func (r *Tree) checkGround() error {
	if r.Source == "/" && len(r.paths) == 0 {
		return cli.WithHint(errors.New("restore in place: the root directory cannot be restored below a running system"),
			"name PATHs, or boot another system, mount the disk and give --to")
	}
	return nil
}

// findSource opens the source for a restore in place. A link above it or in its
// place is refused: nobody can tell where it will lead next. That it is not
// there is no error.
func (r *Tree) findSource() error {
	tree, err := openSource(r.Source)
	if err == nil {
		r.tree = tree
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return err
}

// makeSource makes the source if it is not there.
func (r *Tree) makeSource() error {
	if r.tree != nil {
		return nil
	}
	if err := makeDirectory(r.Source); err != nil {
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
