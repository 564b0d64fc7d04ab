package dump

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"napback/internal/cli"
	"napback/napback/source"
)

// SubversionDirKind is the kind of directories of Subversion repositories.
func SubversionDirKind() source.Kind {
	one := SubversionKind()
	return source.Kind{
		Name:  "SubversionDir",
		Diffs: true,
		Clean: source.CleanPath,
		Base:  one.ArchiveName,
		Open: func(context.Context, source.Host, source.Job) (source.Source, error) {
			return nil, errNoRepository()
		},
		Members: &source.Members{Of: one, What: "repository", Find: findRepositories, Is: IsRepository},
	}
}

func errNoRepository() error { return errors.New("there is no repository below it") }

// findRepositories returns the repositories below a directory.
func findRepositories(dir string) (found, warnings []string, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil, source.Vanished()
	}
	if IsRepository(dir) {
		return nil, nil, cli.WithHint(errors.New("the source is a repository itself"), "say Subversion %s", dir)
	}
	found, unread := Repositories(dir)
	for _, err := range unread {
		warnings = append(warnings, fmt.Sprintf("repositories may be missing: %v", err))
	}
	if len(found) == 0 {
		return nil, warnings, cli.WithHint(errNoRepository(), "was its disk not mounted?")
	}
	return found, warnings, nil
}

// IsRepository reports whether a directory looks like a Subversion repository.
func IsRepository(dir string) bool {
	format, err := os.Stat(filepath.Join(dir, "format"))
	if err != nil || !format.Mode().IsRegular() {
		return false
	}
	db, err := os.Stat(filepath.Join(dir, "db"))
	return err == nil && db.IsDir()
}

// Repositories returns the repositories below a directory, by their paths
// relative to it, sorted. It does not look into repositories, and follows a
// symbolic link only to a repository. What it could not look into is in unread.
func Repositories(dir string) (found []string, unread []error) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			unread = append(unread, err)
			return nil
		}
		if path == dir || !d.IsDir() && d.Type()&os.ModeSymlink == 0 || !IsRepository(path) {
			return nil
		}
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		found = append(found, relative)
		if d.IsDir() {
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil {
		unread = append(unread, err)
	}
	return found, unread
}
