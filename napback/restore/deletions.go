package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"

	"napback/internal/cli"
	"napback/napback/dumpdir"
	"napback/napback/nofollow"
	"napback/napback/source/tar"
)

// Deletion is an entry on disk that a restore in place deletes for good.
type Deletion struct {
	Path  string // absolute; a directory's ends with a slash
	mount bool   // a file system is mounted on it or below
}

// planDeletions tells what a restore in place would delete. It refuses where file
// systems are mounted.
func (r *Tree) planDeletions(ctx context.Context) ([]Deletion, error) {
	for i := range r.Point.Chain {
		if r.skips(i) {
			continue
		}
		if _, err := r.readTOC(ctx, i); err != nil {
			return nil, err
		}
	}
	gone, err := r.deletions()
	if err != nil {
		return nil, fmt.Errorf("look for what a restore in place would delete: %w", err)
	}
	if i := slices.IndexFunc(gone, func(d Deletion) bool { return d.mount }); i >= 0 {
		return nil, cli.WithHint(fmt.Errorf("restore in place: it would delete %q, where a file system is mounted", gone[i].Path),
			"unmount it first, or restore --to another directory, or only some PATHs")
	}
	return gone, nil
}

// deletions foretells what is deleted, going through what tar does with each
// archive of the chain. When tar extracts a directory from an archive, it deletes
// in it what the archive's list does not have, and what is a directory where the
// list has a file, or the other way round. That includes what later archives do
// not bring back: files that were excluded from the backup are on the lists from
// the time when they came into being, so an older FULL does away with them.
func (r *Tree) deletions() ([]Deletion, error) {
	d := &simulation{root: "/", tree: r.tree}
	if d.tree == nil {
		return nil, nil // the source is not there
	}
	if len(r.paths) == 0 {
		d.tocs = r.tocs
		err := d.directory(tar.Listed(r.Source), false)
		return d.found, err
	}
	for _, p := range r.paths {
		d.tocs = nil
		for i, chosen := range r.chosen {
			if insideAny(p, chosen) {
				d.tocs = append(d.tocs, r.tocs[i])
			}
		}
		if err := d.path(p); err != nil {
			return nil, err
		}
	}
	return d.found, nil
}

// simulation does to lists what tar does to the disk.
type simulation struct {
	root  string
	tree  *nofollow.Tree
	tocs  []*toc // of the archives that are extracted, in their order
	found []Deletion
}

// path goes through one PATH. Nobody lists it; what is in the way of it, such as
// a link where the backup has a directory, is removed by clear.
func (d *simulation) path(name string) error {
	way, err := d.tree.InTheWay(name)
	if err != nil {
		return err
	}
	if way != "" {
		full := filepath.Join(d.root, way)
		if slices.ContainsFunc(d.found, func(other Deletion) bool { return other.Path == full }) {
			return nil // on the way to another PATH, too
		}
		return d.add(way, nil)
	}
	info, err := d.tree.Lstat(name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	isDir := d.tocs[len(d.tocs)-1].kind(name) == dumpdir.Dir
	switch {
	case isDir != info.IsDir():
		return d.add(name, info)
	case isDir:
		return d.directory(name, false)
	}
	return nil
}

// directory goes through a directory. purged tells that it is deleted at some
// point, with all that is in it.
func (d *simulation) directory(name string, purged bool) error {
	info, err := d.tree.Lstat(name)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return d.add(name, info) // the source itself is something else now
	}
	entries, err := d.tree.ReadDir(name)
	if err != nil {
		return err
	}
	lists := d.listsOf(name)
	for _, e := range entries {
		child := path.Join(name, e.Name())
		kept, drops := fate(lists, e.Name(), e.IsDir())
		switch {
		case kept && e.IsDir():
			err = d.directory(child, purged || drops)
		case kept:
		case purged || drops:
			err = d.add(child, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listsOf returns what the archives that hold a directory say of it.
func (d *simulation) listsOf(name string) []map[string]byte {
	var all []map[string]byte
	for _, l := range d.tocs {
		items, ok := l.dirs[name]
		if !ok {
			continue
		}
		kinds := make(map[string]byte, len(items))
		for _, item := range items {
			kinds[item.Name] = item.Kind
		}
		all = append(all, kinds)
	}
	return all
}

// fate tells whether the backup has an entry in the end, as the same kind of
// thing, and whether tar deletes the one on disk at some point.
func fate(lists []map[string]byte, name string, isDir bool) (kept, drops bool) {
	stored := false // some archive holds it
	last := byte(0)
	for _, l := range lists {
		last = l[name]
		stored = stored || last == dumpdir.Stored
		switch {
		case last == 0, last == dumpdir.Dir && !isDir, last == dumpdir.Stored && isDir:
			drops = true
		}
	}
	if isDir {
		return last == dumpdir.Dir, drops
	}
	return last == dumpdir.Stored || last == dumpdir.Unchanged && stored, drops
}

// add notes an entry, given what its directory is.
func (d *simulation) add(name string, parent fs.FileInfo) error {
	e := Deletion{Path: filepath.Join(d.root, name)}
	info, err := d.tree.Lstat(name)
	if absent(err) {
		return nil
	}
	if err == nil && info.IsDir() {
		e.Path += "/"
		e.mount, err = holdsMount(d.tree, name, parent)
	}
	d.found = append(d.found, e)
	return err
}

// absent tells that there is nothing of a name.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || isNotDir(err) }

// holdsMount reports whether a tree is on more than the file system of parent.
func holdsMount(tree *nofollow.Tree, name string, parent fs.FileInfo) (bool, error) {
	device := deviceOf(parent)
	err := tree.WalkDirs(name, func(_ string, info fs.FileInfo) error {
		if deviceOf(info) != device {
			return fs.SkipAll
		}
		return nil
	})
	if errors.Is(err, fs.SkipAll) {
		return true, nil
	}
	return false, err
}
