package restore

import (
	"path/filepath"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/confine"
	"napback/napback/programs"
	"napback/napback/source/tar"
)

// tarStage is tar with arguments, confined to where it is to write if the system
// can do that.
func (r *Tree) tarStage(args []string) (chain.Stage, error) {
	if confine.Supported() != nil {
		return r.From.Kit.Stage("tar", r.program, args), nil
	}
	path, err := r.From.Kit.Sibling("napback")
	below := r.To
	if r.inPlace {
		below = r.Source
	}
	return r.From.Kit.Stage("tar", path, append([]string{programs.Confined, below, r.program}, args...)), err
}

// checkWay makes sure that what the next archive's paths (none = all) are in is
// there as directories, without links, or not at all. It returns the paths that
// must not come as directories, since they are none on disk.
func (r *Tree) checkWay(paths []string) (notDirs []string, err error) {
	if len(paths) == 0 {
		paths = []string{tar.Listed(r.Source)}
	}
	for _, p := range paths {
		way, err := r.tree.InTheWay(p)
		if err != nil {
			return nil, err
		}
		if way != "" {
			return nil, cli.Errorf(cli.Integrity, "refused: member %q: on disk, %q is not a directory", p, filepath.Join(r.To, way))
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
func (r *Tree) closeTree() {
	if r.tree != nil {
		r.tree.Close()
	}
}
