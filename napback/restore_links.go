package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"napback/napback/chain"
)

// mendLinks puts right the files among the paths whose contents archive number
// i has under a name that is not among them: tar could not make the link, or,
// in place, has linked to whatever is under that name now. The contents are
// extracted under the name of the link, by reading the archive once more.
func (r *restore) mendLinks(ctx context.Context, i int, report *extractReport) error {
	a := r.point.Chain[i]
	links := report.split
	if r.place && len(r.paths) > 0 {
		l, err := r.list(ctx, i)
		if err != nil {
			return err
		}
		links = l.links
	}
	first := map[string]string{} // the link that gets the contents of a target
	var extract, again []hardLink
	for _, l := range links {
		if _, ok := first[l.target]; ok {
			again = append(again, l)
			continue
		}
		first[l.target] = l.name
		extract = append(extract, l)
	}
	if len(extract) == 0 {
		return nil
	}
	restoreDirs := r.openDirs(links)
	defer restoreDirs()
	r.log.Notef("reading %s again for %s whose contents it has under other names", a.Name, plural(len(links), "file", "files"))
	if err := r.extractLinks(ctx, i, extract); err != nil {
		return err
	}
	for _, l := range again {
		path, of := filepath.Join(r.to, l.name), filepath.Join(r.to, first[l.target])
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("hard link: %w", err)
		}
		if err := os.Link(of, path); err != nil {
			return fmt.Errorf("hard link: %w", err)
		}
	}
	return nil
}

// openDirs lets files be made in the directories of links. What it returns puts
// back their modes, and their times, which tar has just set.
func (r *restore) openDirs(links []hardLink) func() {
	before := map[string]fs.FileInfo{}
	for _, l := range links {
		dir := filepath.Dir(filepath.Join(r.to, l.name))
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && before[dir] == nil {
			before[dir] = info
			_ = loosenDir(dir)
		}
	}
	return func() {
		for dir, info := range before {
			_ = os.Chmod(dir, info.Mode())
			_ = os.Chtimes(dir, time.Time{}, info.ModTime())
		}
	}
}

// extractLinks extracts the targets of links under the links' names.
func (r *restore) extractLinks(ctx context.Context, i int, links []hardLink) error {
	a := r.point.Chain[i]
	report := &extractReport{}
	status, err := r.unpack(ctx, r.key, func() ([]chain.Status, error) {
		*report = extractReport{}
		c, err := r.chain(a, linkArgs(a, r.to, links), report)
		if err != nil {
			return nil, err
		}
		return c.Run(ctx)
	})
	if err != nil {
		return err
	}
	r.trouble = append(r.trouble, report.trouble...)
	r.failed = r.failed || len(report.trouble) > 0 && status[len(status)-1].Code != 0
	if len(report.missing) > 0 {
		return fmt.Errorf("the archive has no file %q to link to", "/"+report.missing[0])
	}
	return nil
}
