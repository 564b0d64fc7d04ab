//go:build unix

package tar

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// inode identifies a file, whatever its names.
type inode struct{ dev, ino uint64 }

// names counts the names of a file.
type names struct{ stored, all uint64 }

// brokenLink looks for a file that a DIFF stores under some of its names only.
// tar stores a file that changed under all its names, but one that did not
// change only where its directory is new or was renamed; restored, it would be
// a second file. snapshot is what tar has written, start is when nothing counted as
// changed before. The answer is a name that is missing, or "" if all is well.
func brokenLink(snapshot, source string, start time.Time) (string, error) {
	f, err := os.Open(snapshot)
	if err != nil {
		return "", fmt.Errorf("read the names that tar has stored: %w", err)
	}
	defer f.Close()
	files := map[inode]*names{}
	if err := eachStored(f, func(path string) {
		var stat unix.Stat_t
		if unix.Lstat(path, &stat) != nil || stat.Nlink < 2 {
			return
		}
		if changed := time.Unix(stat.Ctim.Unix()); !changed.Before(start) {
			return
		}
		key := inode{uint64(stat.Dev), stat.Ino}
		if files[key] == nil {
			files[key] = &names{all: uint64(stat.Nlink)}
		}
		files[key].stored++
	}); err != nil {
		return "", err
	}
	for key, n := range files {
		if n.stored >= n.all {
			delete(files, key)
		}
	}
	if len(files) == 0 {
		return "", nil
	}
	return nameBeyond(source, files)
}

// nameBeyond walks the source for a name of one of the files beyond those that
// were stored: the others may be outside the source. It is only needed after
// directories with such files were renamed.
func nameBeyond(source string, files map[inode]*names) (string, error) {
	found := ""
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		var stat unix.Stat_t
		if err != nil || d.IsDir() || unix.Lstat(path, &stat) != nil {
			return nil // what cannot be read is not stored either
		}
		n := files[inode{uint64(stat.Dev), stat.Ino}]
		switch {
		case n == nil:
		case n.stored == 0:
			found = path
			return fs.SkipAll
		default:
			n.stored--
		}
		return nil
	})
	return found, err
}
