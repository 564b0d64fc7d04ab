//go:build unix

package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links a path may lead through, as for the
// kernel.
const maxLinks = 40

// given matches the directory of files that a process was given open.
var given = regexp.MustCompile(`^/proc/[^/]+/(task/[^/]+/)?fd$`)

// end is where a path leads to.
type end struct {
	path string      // without symbolic links
	info fs.FileInfo // nil if there is nothing
	dir  fs.FileInfo // of the directory that it is in, or is missing in
	open bool        // it is a file that this process was given: trusted, and nothing is known of it
}

// walk follows a path as the kernel does and judges all that is on the way,
// but not what is at the end. What is missing ends it early.
func (r rule) walk(path string) (end, error) {
	if !filepath.IsAbs(path) {
		wd, err := os.Getwd()
		if err != nil {
			return end{}, err
		}
		path = wd + "/" + path // not cleaned: with a link before it, .. leads elsewhere
	}
	var stack []fs.FileInfo // of at and the directories above
	info, err := os.Lstat("/")
	if err != nil {
		return end{}, err
	}
	at, root := "/", info
	for rest, links := components(path), 0; len(rest) > 0; {
		if err := r.above(at, info); err != nil {
			return end{}, err
		}
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at)
			info, stack = pop(stack, root)
			continue
		}
		next := filepath.Join(at, name)
		found, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) && !slices.Contains(rest, "..") {
			return end{path: next, dir: info}, nil
		}
		if err != nil {
			return end{}, err
		}
		if found.Mode()&fs.ModeSymlink == 0 {
			stack = append(stack, info)
			at, info = next, found
			continue
		}
		if given.MatchString(at) {
			return end{path: next, open: true}, nil
		}
		if links++; links > maxLinks {
			return end{}, &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
		}
		target, err := r.link(next, found, info)
		if err != nil {
			return end{}, err
		}
		if filepath.IsAbs(target) {
			at, info, stack = "/", root, nil
		}
		rest = append(components(target), rest...)
	}
	above, _ := pop(stack, root)
	return end{path: at, info: info, dir: above}, nil
}

// link judges a symbolic link in a directory and returns its target.
func (r rule) link(path string, info, dir fs.FileInfo) (string, error) {
	if err := r.owned(path, info); err != nil {
		return "", err
	}
	if r.distribution && r.shared(dir) && dir.Mode()&fs.ModeSticky == 0 {
		return "", refuse(path, "is a symbolic link in a directory where a group can write", "use the path that it leads to")
	}
	return os.Readlink(path)
}

func pop(stack []fs.FileInfo, root fs.FileInfo) (fs.FileInfo, []fs.FileInfo) {
	if len(stack) == 0 {
		return root, nil
	}
	return stack[len(stack)-1], stack[:len(stack)-1]
}

func components(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

// there walks to something that has to be there.
func (r rule) there(path string) (end, error) {
	e, err := r.walk(path)
	if err == nil && e.info == nil && !e.open {
		err = &fs.PathError{Op: "stat", Path: path, Err: syscall.ENOENT}
	}
	return e, err
}

func (r rule) file(path string) error {
	e, err := r.there(path)
	if err != nil || e.open {
		return err
	}
	return r.leaf(e.path, e.info)
}

func (r rule) way(path string) (string, error) {
	e, err := r.there(path)
	return e.path, err
}

func (r rule) temp(path string) error {
	e, err := r.there(path)
	if err != nil || e.open {
		return err
	}
	return r.above(e.path, e.info)
}

func (r rule) directory(path string) error {
	if err := r.file(path); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrPermission) {
		return nil // whoever uses it will say so
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		if err := r.file(filepath.Join(path, entry.Name())); Refusal(err) != nil {
			return err
		}
	}
	return nil
}

func (r rule) log(path string) error {
	r.distribution = true
	e, err := r.walk(path)
	if err != nil || e.open {
		return err
	}
	if err := r.leaf(filepath.Dir(e.path), e.dir); err != nil || e.info == nil {
		return err
	}
	return r.leaf(e.path, e.info)
}
