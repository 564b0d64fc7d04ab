package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"napback/internal/cli"
	"napback/internal/trust"
	"napback/napback/source/kinds"
)

const (
	maxFile  = 1 << 20 // bytes of one file
	maxDepth = 10      // of files that include files
	maxFiles = 1000    // that one configuration reads
)

// files is what the parser needs of a file system.
type files interface {
	// read returns what a file holds. It refuses one that others can write:
	// they would decide what is backed up and where to.
	read(path string, regular bool) (data []byte, err error)
	// trusted refuses what others can write, as check tells.
	trusted(check func(path string) error, path string) error
	// names returns the names in a directory, sorted.
	names(dir string) ([]string, error)
}

// system is the real one.
type system struct{}

func (system) read(path string, regular bool) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	// The file that was asked for may be a pipe; what a pattern finds may not,
	// since opening a forgotten FIFO would wait for ever.
	if info.IsDir() || regular && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file, but %v", info.Mode())
	}
	if err := trust.File(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

func (system) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// load is Load on any file system.
func load(path string, env Env, from files) (*Config, error) {
	if env.Kinds == nil {
		env.Kinds = kinds.All()
	}
	p := &parser{kinds: env.Kinds, known: directives(env.Kinds), files: from, cycles: map[string]position{}}
	p.top = &scope{place: atTop, tag: "the file", at: position{file: path, line: 1}}
	c := &Config{Path: path}
	data, err := from.read(path, false)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("more than %s", cli.FormatSize(maxFile))
	}
	if err != nil {
		return nil, cli.WithCode(cli.Usage, fmt.Errorf("read configuration %q: %w", path, cause(err)))
	}
	p.nested = []string{filepath.Clean(path)}
	p.file(path, data, p.top)
	p.build(c, env)
	if err := p.err(); err != nil {
		return nil, err
	}
	for i := range c.Jobs {
		c.Jobs[i].Config = identity(path)
	}
	return c, nil
}

// identity is by what a configuration is known the next time.
func identity(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil || strings.HasPrefix(absolute, "/dev/") || strings.HasPrefix(absolute, "/proc/") {
		return ""
	}
	return absolute
}

// cause drops the path from a file error, since the messages name it already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// include reads the files that a pattern matches into a scope.
func (p *parser) include(at position, pattern string, in *scope) {
	if len(p.nested) > maxDepth {
		p.addf(at, "Include %q: files that include files go more than %d deep", pattern, maxDepth)
		return
	}
	paths := []string{pattern}
	if !filepath.IsAbs(pattern) {
		paths[0] = filepath.Join(filepath.Dir(at.file), pattern)
	}
	if hasWildcard(pattern) {
		var err error
		if paths, err = p.expand(filepath.Dir(at.file), pattern); err != nil {
			p.addf(at, "Include %q: %v", pattern, err)
			return
		}
	}
	for _, path := range paths {
		p.includeFile(at, pattern, path, in)
	}
}

func (p *parser) includeFile(at position, pattern, path string, in *scope) {
	if slices.Contains(p.nested, filepath.Clean(path)) {
		p.addf(at, "Include %q: %q is being read already, it includes itself", pattern, path)
		return
	}
	if p.read >= maxFiles {
		p.addf(at, "Include %q: more than %d files", pattern, maxFiles)
		return
	}
	data, err := p.files.read(path, true)
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("more than %s", cli.FormatSize(maxFile))
	}
	if err != nil {
		p.refuse(at, fmt.Sprintf("Include %q: read %q", pattern, path), cause(err))
		return
	}
	p.nested = append(p.nested, filepath.Clean(path))
	p.file(path, data, in)
	p.nested = p.nested[:len(p.nested)-1]
}

func hasWildcard(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// expand returns the paths that a pattern matches, sorted. It is stricter
// than filepath.Glob, which takes a directory that cannot be read for an empty
// one: the jobs in it would be left out without a word.
func (p *parser) expand(base, pattern string) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, errors.New("a bracket that is not closed, or another error in the pattern")
	}
	if filepath.IsAbs(pattern) {
		base = filepath.VolumeName(pattern) + string(filepath.Separator)
		pattern = pattern[len(filepath.VolumeName(pattern)):]
	}
	paths, certain := []string{base}, true
	for part := range strings.SplitSeq(filepath.ToSlash(pattern), "/") {
		if part == "" {
			continue
		}
		wild := hasWildcard(part)
		if certain && !wild {
			paths[0] = filepath.Join(paths[0], part)
			continue
		}
		var next []string
		for _, dir := range paths {
			names, err := p.files.names(dir)
			if err != nil && (certain || !absent(err)) {
				return nil, fmt.Errorf("read directory %q: %w", dir, cause(err))
			}
			for _, name := range names {
				if matches(part, name, wild) {
					next = append(next, filepath.Join(dir, name))
				}
			}
		}
		paths, certain = next, false
	}
	slices.Sort(paths)
	return paths, nil
}

// matches reports whether one component of a pattern stands for name. As in a
// shell, what is hidden must be asked for by its dot.
func matches(part, name string, wild bool) bool {
	if !wild {
		return part == name
	}
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") {
		return false
	}
	ok, _ := filepath.Match(part, name)
	return ok
}

// absent tells that what a wildcard matched is no directory.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
