package restore

import (
	"context"
	"path"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/dumpdir"
	"napback/napback/source/tar"
)

// toc is an archive's table of contents: what it says that its directories held.
// Names are paths without a leading slash; the root directory is "".
type toc struct {
	dirs map[string][]dumpdir.Item
	// links are the hard links of the wanted paths to files outside of them.
	links []tar.Link
}

// readTOC reads the table of contents of the archive number i of the chain, as far as it
// concerns the paths.
func (r *Tree) readTOC(ctx context.Context, i int) (*toc, error) {
	if r.tocs == nil {
		r.tocs = make([]*toc, len(r.Point.Chain))
	}
	if r.tocs[i] != nil {
		return r.tocs[i], nil
	}
	a := r.Point.Chain[i]
	r.From.Log.Notef("reading the list of %s (%s)", a.Name, cli.FormatSize(a.Bytes))
	r.show("list of", r.Point.Chain[i:i+1])
	defer r.From.Progress.End()
	l := &toc{dirs: map[string][]dumpdir.Item{}}
	err := r.From.Members(ctx, a, r.Source, true, func(m *dumpdir.Member) error {
		name := tar.Listed(m.Name)
		switch {
		case m.IsDir() && r.concerns(name):
			l.dirs[name] = m.Contents
		case m.Type == '1' && len(r.paths) > 0 && insideAny(name, r.paths):
			if target := tar.Listed(m.Link); !insideAny(target, r.paths) {
				l.links = append(l.links, tar.Link{Name: name, Target: target})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.tocs[i] = l
	return l, nil
}

// concerns reports whether a directory is wanted, or the parent of a path.
func (r *Tree) concerns(dir string) bool {
	if len(r.paths) == 0 || insideAny(dir, r.paths) {
		return true
	}
	return slices.ContainsFunc(r.paths, func(p string) bool { return parent(p) == dir })
}

func parent(name string) string {
	dir, _ := path.Split(name)
	return strings.TrimRight(dir, "/")
}

// kind tells how a path was listed: dumpdir.Dir if the archive has it as a
// directory, dumpdir.Stored or dumpdir.Unchanged for what is none, 0 if it was
// not there or the archive has only its name.
func (l *toc) kind(name string) byte {
	if _, ok := l.dirs[name]; ok {
		return dumpdir.Dir
	}
	for _, item := range l.dirs[parent(name)] {
		if item.Name == path.Base(name) && item.Kind != dumpdir.Dir {
			return item.Kind
		}
	}
	return 0
}

// insideAny reports whether name is one of the paths or below one.
func insideAny(name string, paths []string) bool {
	return slices.ContainsFunc(paths, func(p string) bool { return p == "" || name == p || strings.HasPrefix(name, p+"/") })
}

// paths turns the PATHs of the command line into listed names. None means all.
func (r *Tree) parsePaths(words []string) ([]string, error) {
	source := r.Source
	var all []string
	for _, word := range words {
		p := word
		if !strings.HasPrefix(p, "/") {
			p = path.Join(source, p)
		}
		if p = path.Clean(p); !tar.Inside(p, source) {
			return nil, cli.WithHint(cli.Errorf(cli.NotFound, "path %q: it is not inside of %s", word, source),
				"paths are absolute, or relative to %s", source)
		}
		if p == source {
			return nil, nil // all of it, whatever else is named
		}
		all = append(all, strings.TrimPrefix(p, "/"))
	}
	// What is below another path comes with it.
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(p string) bool {
		return slices.ContainsFunc(all, func(q string) bool { return p != q && insideAny(p, []string{q}) })
	}), nil
}

// choose finds out which archives to take each path from. The increments tell
// what has been there; the FULL is read for that only in place.
//
// A file is taken from the newest archive that holds it. A directory is taken
// from every archive since it last came into being, oldest first, as all of the
// source is: so what was deleted in it stays deleted.
func (r *Tree) choose(ctx context.Context) error {
	r.chosen = make([][]string, len(r.Point.Chain))
	if len(r.paths) == 0 {
		return nil
	}
	first := 1
	if r.inPlace {
		first = 0
	}
	if len(r.Point.Chain) == 1 && !r.inPlace {
		r.chosen[0] = r.paths // tar says what is not there
		return nil
	}
	for i := len(r.Point.Chain) - 1; i >= first; i-- {
		if _, err := r.readTOC(ctx, i); err != nil {
			return err
		}
	}
	for _, p := range r.paths {
		from, to, err := r.span(p)
		if err != nil {
			return err
		}
		for i := from; i <= to; i++ {
			r.chosen[i] = append(r.chosen[i], p)
		}
	}
	return nil
}

// span returns the archives, by number in the chain, to take a path from.
func (r *Tree) span(p string) (from, to int, err error) {
	last := len(r.tocs) - 1
	switch r.tocs[last].kind(p) {
	case dumpdir.Dir:
		from = last
		// The FULL, if it was not listed, perhaps has the directory as well.
		for from > 0 && (r.tocs[from-1] == nil || r.tocs[from-1].kind(p) == dumpdir.Dir) {
			from--
		}
		return from, last, nil
	case dumpdir.Stored:
		return last, last, nil
	case dumpdir.Unchanged:
		for i := last - 1; i >= 0 && r.tocs[i] != nil; i-- {
			switch r.tocs[i].kind(p) {
			case dumpdir.Stored:
				return i, i, nil
			case dumpdir.Unchanged:
				continue
			}
			return 0, 0, cli.Errorf(cli.Integrity, "path %q: %s says it has not changed, but %s does not know it",
				"/"+p, r.Point.Chain[last].Name, r.Point.Chain[i].Name)
		}
		if r.tocs[0] == nil {
			return 0, 0, nil
		}
		// No archive holds it: it is excluded from the backup.
	}
	return 0, 0, r.noSuchPath(p)
}

func (r *Tree) noSuchPath(p string) error {
	return cli.WithHint(cli.Errorf(cli.NotFound, "path %q: the backup of %s does not hold it", "/"+p, r.Point.Date()),
		"if it was there at another time: --at WHEN; napback list %s shows the times", r.Job)
}
