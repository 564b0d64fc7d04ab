package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"napback/napback/dumpdir"
)

// makeRoom prepares the destination for archive number i, where tar by itself
// would fail.
func (r *restore) makeRoom(i int) error {
	if err := r.clear(i); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		return nil // whom modes do not stop
	}
	return r.loosen(i)
}

// clear removes what is in the way of a PATH before archive number i is
// extracted: tar does not put a directory in place of a file, or the other way
// round, unless it extracts the directory around it.
func (r *restore) clear(i int) error {
	if len(r.paths) == 0 || r.lists == nil || r.lists[i] == nil {
		return nil
	}
	for _, p := range r.chosen[i] {
		name := filepath.Join(r.to, p)
		info, err := os.Lstat(name)
		if absent(err) {
			continue
		}
		if err != nil {
			return err
		}
		kind := r.lists[i].kind(p)
		if kind == 0 || (kind == dumpdir.Dir) == info.IsDir() {
			continue
		}
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

// loosen lets the user write to directories that an earlier archive has made
// read-only. Each archive has all directories and sets their modes again.
func (r *restore) loosen(i int) error {
	if !r.place {
		return filepath.WalkDir(r.to, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			return loosenDir(path) // before it is read
		})
	}
	for name := range r.lists[i].dirs {
		if len(r.paths) > 0 && !insideAny(name, r.chosen[i]) {
			continue
		}
		if err := loosenDir(filepath.Join(r.to, name)); err != nil {
			return err
		}
	}
	return nil
}

// loosenDir gives the user all rights to a directory, if it is one and is the
// user's.
func loosenDir(path string) error {
	const all = 0o700
	info, err := os.Lstat(path)
	if absent(err) || err == nil && (!info.IsDir() || info.Mode().Perm()&all == all) {
		return nil
	}
	if err == nil {
		err = os.Chmod(path, info.Mode()|all)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil // tar will tell what it cannot do there
	}
	return err
}
