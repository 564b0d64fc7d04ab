package restore

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"napback/internal/cli"
	"napback/napback/dumpdir"
	"napback/napback/source/tar"
)

// makeRoom prepares the destination for archive number i, where tar by itself
// would fail or follow a link.
func (r *Tree) makeRoom(i int) error {
	if r.inPlace {
		if err := r.makeSource(); err != nil {
			return err
		}
	}
	if err := r.clear(i); err != nil {
		return err
	}
	if os.Geteuid() != 0 { // whom modes do not stop
		if err := r.loosen(i); err != nil {
			return err
		}
	}
	return r.bare(i)
}

// bare removes the extended attributes of the directories that archive number i
// is extracted over: tar sets those that the archive has, and every archive has
// all of its directories, but tar removes none that has gone since.
func (r *Tree) bare(i int) error {
	if i == 0 && !r.inPlace {
		return nil // there is nothing yet
	}
	return r.eachDir(i, func(name string, _ fs.FileInfo) error {
		return r.tree.Do(name, func(dir *os.Root, leaf string) error { return tar.TrimAttributes(dir, leaf) })
	})
}

// clear removes what is in the way of archive number i before it is extracted:
// in place, what is no directory where the archive has one, such as a link; and
// what is in the way of a PATH: tar does not put a directory in place of a file,
// or the other way round, unless it extracts the directory around it.
func (r *Tree) clear(i int) error {
	if r.tocs == nil || r.tocs[i] == nil {
		return nil
	}
	if len(r.paths) == 0 {
		return r.clearLinks(i)
	}
	for _, p := range r.chosen[i] {
		way, err := r.tree.InTheWay(p)
		if err == nil && way != "" {
			err = r.tree.RemoveAll(way)
		}
		if err != nil {
			return err
		}
		info, err := r.tree.Lstat(p)
		if absent(err) {
			continue
		}
		if err != nil {
			return err
		}
		kind := r.tocs[i].kind(p)
		if kind == 0 || (kind == dumpdir.Dir) == info.IsDir() {
			continue
		}
		if err := r.tree.RemoveAll(p); err != nil {
			return err
		}
	}
	return r.clearLinks(i)
}

// clearLinks removes what is no directory where archive number i has one. tar
// would do it, too, but only once it gets there.
func (r *Tree) clearLinks(i int) error {
	if !r.inPlace {
		return nil // only archives have written there, which the guard has seen
	}
	return r.eachListed(i, func(name string, info fs.FileInfo) error {
		if info.IsDir() {
			return nil
		}
		return r.tree.RemoveAll(name)
	})
}

// eachListed calls do for what is on disk under the names that archive number i has,
// and is extracted for, as directories, each before what is in it.
func (r *Tree) eachListed(i int, do func(name string, info fs.FileInfo) error) error {
	taken := r.chosen[i]
	if len(r.paths) == 0 {
		taken = []string{tar.Listed(r.Source)}
	}
	for _, name := range slices.Sorted(maps.Keys(r.tocs[i].dirs)) {
		if !insideAny(name, taken) {
			continue
		}
		info, err := r.tree.Lstat(name)
		if absent(err) {
			continue
		}
		if err == nil {
			err = do(name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// loosen lets the user write to directories that an earlier archive has made
// read-only. Each archive has all directories and sets their modes again.
func (r *Tree) loosen(i int) error { return r.eachDir(i, r.loosenDir) }

// eachDir calls do for the directories on disk that archive number i is
// extracted over, each before it is read.
func (r *Tree) eachDir(i int, do func(name string, info fs.FileInfo) error) error {
	if !r.inPlace {
		return r.tree.WalkDirs("", func(name string, info fs.FileInfo) error {
			if name == "" {
				return nil // what the restore is put into
			}
			return do(name, info)
		})
	}
	return r.eachListed(i, func(name string, info fs.FileInfo) error {
		if !info.IsDir() {
			return nil
		}
		return do(name, info)
	})
}

// loosenDir gives the user all rights to a directory, if it is one and is the
// user's.
func (r *Tree) loosenDir(name string, info fs.FileInfo) error {
	const all = 0o700
	if !info.IsDir() || info.Mode().Perm()&all == all {
		return nil
	}
	err := r.tree.Chmod(name, info.Mode()|all)
	if errors.Is(err, fs.ErrPermission) {
		return nil // tar will tell what it cannot do there
	}
	return err
}

// refuseWay refuses a name if what it is in is on disk, but is no directory.
func (r *Tree) refuseWay(name string) error {
	way, err := r.tree.InTheWay(name)
	if err == nil && way != "" {
		err = cli.Errorf(cli.Integrity, "refused: member %q: on disk, %q is not a directory", name, filepath.Join(r.To, way))
	}
	return err
}

// checkWay makes sure that what the next archive's paths (none = all) are in is
// there as directories, without links, or not at all. It returns the paths that
// must not come as directories, since they are none on disk.
func (r *Tree) checkWay(paths []string) (notDirs []string, err error) {
	if len(paths) == 0 {
		paths = []string{tar.Listed(r.Source)}
	}
	for _, p := range paths {
		if err := r.refuseWay(p); err != nil {
			return nil, err
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
