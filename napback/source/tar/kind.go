package tar

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"napback/napback/source"
)

// The directives of a Directory.
const (
	name          = "Directory"
	exclude       = "Exclude"
	excludeFrom   = "ExcludeFrom"
	oneFileSystem = "OneFileSystem"
	tarOptions    = "TarOptions"
)

// Directory is the kind of directories.
func Directory() source.Kind {
	return source.Kind{
		Name:  name,
		Diffs: true,
		Tree:  true,
		Clean: source.CleanPath,
		Base: func(dir string) string {
			if dir == "/" {
				return "ROOT"
			}
			return strings.TrimPrefix(dir, "/")
		},
		Options: []source.Option{
			// With a leading / anchored, others match any component. A slash at the
			// end, which many write after a directory's name, would keep tar's
			// patterns from matching anything.
			{Name: exclude, Repeat: true, Adds: true, Clean: func(word string) string { return strings.TrimRight(word, "/") }},
			{Name: excludeFrom, Form: source.File, Repeat: true, Adds: true}, // files of such patterns
			{Name: oneFileSystem, Form: source.Switch},
			{Name: tarOptions, Form: source.Arguments, Repeat: true, Check: checkOption},
		},
		Check: check,
		Open:  open,
		Probe: probe,
	}
}

// checkOption refuses what would break the chain that tar is part of.
func checkOption(word string) error {
	for _, refused := range []string{"--file", "-f", "--listed-incremental", "-g", "--incremental", "-G", "--remove-files",
		"--multi-volume", "-M", "--directory", "-C", "--verify", "-W"} {
		short := len(refused) == 2 && strings.HasPrefix(word, refused)
		if word == refused || short || strings.HasPrefix(word, refused+"=") {
			return fmt.Errorf("%s would break the chain that tar is part of", refused)
		}
	}
	return nil
}

// check reports patterns that leave nothing of a source.
func check(job source.Job) error {
	var errs []error
	for _, pattern := range job.Options[exclude] {
		if excludes(pattern, job.Source) {
			errs = append(errs, fmt.Errorf("%s %q leaves out %q itself: nothing of it would be backed up", exclude, pattern, job.Source))
		}
	}
	return errors.Join(errs...)
}

// excludes reports whether a pattern matches a directory that is to be backed
// up, or one above it. tar would then store nothing at all, without an error.
func excludes(pattern, directory string) bool {
	parts := strings.Split(strings.Trim(directory, "/"), "/")
	anchored := strings.HasPrefix(pattern, "/")
	pattern = strings.Trim(pattern, "/")
	for from := range parts {
		for to := from + 1; to <= len(parts); to++ {
			if ok, _ := path.Match(pattern, strings.Join(parts[from:to], "/")); ok && pattern != "" {
				return true
			}
		}
		if anchored {
			break
		}
	}
	return false
}

// probe opens a Directory, and doubts links on the way to it.
func probe(job source.Job) (doubt string, err error) {
	d, err := os.Open(job.Source)
	if err != nil {
		return "", err
	}
	if err := d.Close(); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(job.Source); err == nil && real != job.Source {
		doubt = fmt.Sprintf("a symbolic link leads to it, it is %q: where it leads elsewhere one day the next backup is a FULL of that, and restore --in-place refuses it", real)
	}
	return doubt, nil
}
