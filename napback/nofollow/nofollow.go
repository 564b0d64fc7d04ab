// Package nofollow works in a directory tree without following symbolic links:
// a name means what is there under that name, and nothing that a link on the way
// leads to. Everything is done relative to directories that are open, by os.Root.
//
// What another user who may write to the tree does at the same moment can still
// make a change hit something else, but nothing outside of the tree.
package nofollow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Tree is a directory with what is below it. Names are paths without a leading
// slash, relative to where the tree was opened from; "" is that place.
type Tree struct {
	root *os.Root
	base string // the name of root
}

// Obstacle is an error about something on the way that is not a directory, such
// as a symbolic link.
type Obstacle struct {
	Name string // as the tree has it
	Link bool   // it is a symbolic link
}

func (o *Obstacle) Error() string {
	if o.Link {
		return fmt.Sprintf("%q is a symbolic link", o.Name)
	}
	return fmt.Sprintf("%q is not a directory", o.Name)
}

// Open opens a directory, itself by way of any links. Names are relative to it.
func Open(dir string) (*Tree, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Tree{root: root}, nil
}

// OpenBelow opens the directory name below dir. Names are relative to dir, and
// none but name and what is below it can be used. The error is an *Obstacle if
// something on the way or name itself is no directory, and wraps fs.ErrNotExist
// if it is not there.
func OpenBelow(dir, name string) (*Tree, error) {
	top, err := Open(dir)
	if err != nil {
		return nil, err
	}
	root, err := top.dir(name)
	if err != nil {
		top.Close()
		return nil, err
	}
	if root != top.root {
		top.Close()
	}
	return &Tree{root: root, base: name}, nil
}

// Close closes the tree.
func (t *Tree) Close() error { return t.root.Close() }

// split returns the parts of a name below the tree's root.
func (t *Tree) split(name string) ([]string, error) {
	rest := name
	if t.base != "" && name != t.base {
		var ok bool
		if rest, ok = strings.CutPrefix(name, t.base+"/"); !ok {
			return nil, fmt.Errorf("%q is outside of %q", name, t.base)
		}
	} else if name == t.base {
		return nil, nil
	}
	parts := strings.Split(rest, "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." {
			return nil, fmt.Errorf("%q is not a clean path", name)
		}
	}
	return parts, nil
}

// dir opens a directory. It returns t.root itself for the tree's own.
func (t *Tree) dir(name string) (*os.Root, error) {
	parts, err := t.split(name)
	if err != nil {
		return nil, err
	}
	at, way := t.root, t.base
	for _, p := range parts {
		if way += "/"; way == "/" {
			way = ""
		}
		way += p
		next, err := step(at, p, way)
		t.done(at)
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}

// done closes a directory that dir has opened.
func (t *Tree) done(r *os.Root) {
	if r != t.root {
		r.Close()
	}
}

// step opens a directory in another, if it is one.
func step(at *os.Root, part, way string) (*os.Root, error) {
	before, err := at.Lstat(part)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, &Obstacle{way, before.Mode()&fs.ModeSymlink != 0}
	}
	next, err := at.OpenRoot(part)
	if err != nil {
		return nil, err
	}
	after, err := next.Stat(".")
	if err == nil && !os.SameFile(before, after) {
		err = &Obstacle{way, true} // somebody is playing tricks
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// parent opens the directory that a name is in, and returns its last part.
func (t *Tree) parent(name string) (*os.Root, string, error) {
	parts, err := t.split(name)
	if err != nil {
		return nil, "", err
	}
	if len(parts) == 0 {
		return t.root, ".", nil
	}
	i := strings.LastIndexByte(name, '/')
	dir, err := t.dir(name[:max(i, 0)])
	return dir, name[i+1:], err
}

// Lstat tells what is there under a name. The error wraps fs.ErrNotExist also if
// something on the way is no directory.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	dir, leaf, err := t.parent(name)
	if err != nil {
		var o *Obstacle
		if errors.As(err, &o) {
			err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
		}
		return nil, err
	}
	defer t.done(dir)
	return dir.Lstat(leaf)
}

// InTheWay returns the first name on the way to another that is there and is no
// directory, or "".
func (t *Tree) InTheWay(name string) (string, error) {
	dir, _, err := t.parent(name)
	var o *Obstacle
	switch {
	case err == nil:
		t.done(dir)
	case errors.As(err, &o):
		return o.Name, nil
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	return "", err
}

// ReadDir lists a directory.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	dir, err := t.dir(name)
	if err != nil {
		return nil, err
	}
	defer t.done(dir)
	return fs.ReadDir(dir.FS(), ".")
}

// WalkDirs calls each for a directory and all below it, before it is read.
func (t *Tree) WalkDirs(name string, each func(name string, info fs.FileInfo) error) error {
	info, err := t.Lstat(name)
	if err != nil || !info.IsDir() {
		return err
	}
	if err := each(name, info); err != nil {
		return err
	}
	entries, err := t.ReadDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := t.WalkDirs(join(name, e.Name()), each); err != nil {
			return err
		}
	}
	return nil
}

func join(dir, leaf string) string {
	if dir == "" {
		return leaf
	}
	return dir + "/" + leaf
}

// RemoveAll removes what is there under a name, with all below it. It is no
// error if there is nothing.
func (t *Tree) RemoveAll(name string) error {
	dir, leaf, err := t.parent(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer t.done(dir)
	return dir.RemoveAll(leaf)
}

// MkdirAll makes a directory and those on the way to it.
func (t *Tree) MkdirAll(name string, mode fs.FileMode) error {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		dir, leaf, err := t.parent(name[:i])
		if err != nil {
			return err
		}
		err = dir.Mkdir(leaf, mode)
		t.done(dir)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// Chmod changes the mode of a file or directory that is not a link.
func (t *Tree) Chmod(name string, mode fs.FileMode) error {
	return t.Do(name, func(dir *os.Root, leaf string) error { return dir.Chmod(leaf, mode) })
}

// SetTime changes the time of modification of a file or directory that is not a
// link.
func (t *Tree) SetTime(name string, modified time.Time) error {
	return t.Do(name, func(dir *os.Root, leaf string) error { return dir.Chtimes(leaf, time.Time{}, modified) })
}

// Do calls do with the directory that holds a name, and the name in it, which is
// no link.
func (t *Tree) Do(name string, do func(dir *os.Root, leaf string) error) error {
	dir, leaf, err := t.parent(name)
	if err != nil {
		return err
	}
	defer t.done(dir)
	info, err := dir.Lstat(leaf)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		err = &Obstacle{name, true}
	}
	if err != nil {
		return err
	}
	return do(dir, leaf)
}

// Link gives a file another name, in place of what is there under that name.
func (t *Tree) Link(file, name string) error {
	for _, n := range []string{file, name} {
		dir, _, err := t.parent(n)
		if err != nil {
			return err
		}
		t.done(dir)
	}
	if err := t.RemoveAll(name); err != nil {
		return err
	}
	cut := func(name string) string { return strings.TrimPrefix(strings.TrimPrefix(name, t.base), "/") }
	return t.root.Link(cut(file), cut(name))
}
