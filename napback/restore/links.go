package restore

import (
	"context"
	"fmt"
	"io/fs"

	"napback/internal/cli"
	"napback/napback/source/tar"
)

// completeLinks gives contents to the files among the paths whose contents archive number
// i has under a name that is not among them: tar could not make the link, or,
// in place, has linked to whatever is under that name now. The contents are
// extracted under the name of the link, by reading the archive once more.
func (r *Tree) completeLinks(ctx context.Context, i int, report *tar.Extraction) error {
	a := r.Point.Chain[i]
	links := report.Split
	if r.inPlace && len(r.paths) > 0 {
		l, err := r.readTOC(ctx, i)
		if err != nil {
			return err
		}
		links = l.links
	}
	first := map[string]string{} // the link that gets the contents of a target
	var extract, again []tar.Link
	for _, l := range links {
		if _, ok := first[l.Target]; ok {
			again = append(again, l)
			continue
		}
		first[l.Target] = l.Name
		extract = append(extract, l)
	}
	if len(extract) == 0 {
		return nil
	}
	if err := r.checkLinks(links); err != nil {
		return err
	}
	restoreDirs := r.openDirs(links)
	defer restoreDirs()
	r.From.Log.Notef("reading %s again for %s whose contents it has under other names", a.Name, cli.Plural(len(links), "file", "files"))
	for len(extract) > 0 {
		n := fitting(extract)
		if err := r.extractLinks(ctx, i, extract[:n]); err != nil {
			return err
		}
		if extract = extract[n:]; len(extract) > 0 {
			r.From.Log.Notef("reading %s again for %s more: they are too many for one command line", a.Name, cli.Plural(len(extract), "file", "files"))
		}
	}
	for _, l := range again {
		if err := r.tree.Link(first[l.Target], l.Name); err != nil {
			return fmt.Errorf("hard link: %w", err)
		}
	}
	return nil
}

// maxLinkNames is how many bytes of names one reading is given: a command line
// has room for 2 MiB on Linux, and holds each name up to twice.
const maxLinkNames = 256 << 10

// fitting returns how many of the links fit into one command line.
func fitting(links []tar.Link) int {
	size := 0
	for i, l := range links {
		size += len(l.Name) + len(l.Target) + 64
		if i > 0 && size > maxLinkNames {
			return i
		}
	}
	return len(links)
}

// checkLinks makes sure that what is extracted under the names of links lands
// where they were asked for. The names come from what tar says, or from the
// archive; what is on disk comes from the archive, or from whoever uses it.
func (r *Tree) checkLinks(links []tar.Link) error {
	for _, l := range links {
		if !insideAny(l.Name, r.paths) || !insideAny(l.Target, []string{tar.Listed(r.Source)}) {
			return cli.Errorf(cli.Integrity, "refused: member %q: its hard link to %q leads out of what is restored", l.Name, l.Target)
		}
		if err := r.refuseWay(l.Name); err != nil {
			return err
		}
	}
	return nil
}

// openDirs lets files be made in the directories of links. What it returns puts
// back their modes, and their times, which tar has just set.
func (r *Tree) openDirs(links []tar.Link) func() {
	before := map[string]fs.FileInfo{}
	for _, l := range links {
		dir := parent(l.Name)
		if info, err := r.tree.Lstat(dir); err == nil && info.IsDir() && before[dir] == nil {
			before[dir] = info
			_ = r.loosenDir(dir, info)
		}
	}
	return func() {
		for dir, info := range before {
			_ = r.tree.Chmod(dir, info.Mode())
			_ = r.tree.SetTime(dir, info.ModTime())
		}
	}
}

// extractLinks extracts the targets of links under the links' names.
func (r *Tree) extractLinks(ctx context.Context, i int, links []tar.Link) error {
	var targets []string
	for _, l := range links {
		targets = append(targets, l.Target)
	}
	report, err := r.extract(ctx, i, targets, tar.ExtractLinks(r.Source, r.To, links), false)
	if err != nil {
		return err
	}
	r.note(report)
	if len(report.Missing) > 0 {
		return fmt.Errorf("the archive has no file %q to link to", "/"+report.Missing[0])
	}
	return nil
}
