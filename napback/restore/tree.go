package restore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/confine"
	"napback/napback/nofollow"
	"napback/napback/programs"
	"napback/napback/source/tar"
)

// Tree restores a directory.
type Tree struct {
	Request
	inPlace bool
	program string         // GNU tar
	tree    *nofollow.Tree // where is written; nil before it is there
	paths   []string       // listed names; none = all
	chosen  [][]string     // the paths to take from each archive of the chain
	tocs    []*toc         // of the archives of the chain, as far as they were read
	made    bool           // the destination did not exist
	begun   bool           // something may have been written to it
	// trouble is what tar complained of, though it went on; failed that some
	// of it is more than a warning.
	trouble []string
	failed  bool
}

// NewTree prepares the restore of a directory to r.To, or in place. words are the
// PATHs that are wanted, absolute or relative to the source; none means all.
func NewTree(ctx context.Context, r Request, inPlace bool, words []string) (*Tree, error) {
	t := &Tree{Request: r, inPlace: inPlace}
	var err error
	if t.program, err = r.From.Kit.GNUTar(ctx); err != nil {
		return nil, err
	}
	if t.paths, err = t.parsePaths(words); err != nil {
		return nil, err
	}
	if inPlace {
		t.To = "/"
	}
	return t, nil
}

// Run restores. In place, confirm is shown what would be deleted before anything is
// changed, and its error ends the restore.
func (r *Tree) Run(ctx context.Context, confirm func(context.Context, []Deletion) error) (Done, error) {
	if err := confine.Supported(); err != nil {
		r.From.Log.Verbosef("tar is not confined to the destination: %v", err)
	}
	defer func() {
		if r.tree != nil {
			r.tree.Close()
		}
	}()
	return r.finish(r.run(ctx, confirm))
}

// run checks the destination, finds out what to take from which archive, and
// restores.
func (r *Tree) run(ctx context.Context, confirm func(context.Context, []Deletion) error) error {
	if r.inPlace {
		if r.Source == "/" && len(r.paths) == 0 {
			return cli.WithHint(errors.New("restore in place: the root directory cannot be restored below a running system"),
				"name PATHs, or boot another system, mount the disk and give --to")
		}
		if err := r.findSource(); err != nil {
			return err
		}
	} else if err := r.checkDestination(); err != nil {
		return err
	}
	if err := r.choose(ctx); err != nil {
		return err
	}
	if r.inPlace {
		gone, err := r.planDeletions(ctx)
		if err != nil {
			return err
		}
		if err := confirm(ctx, gone); err != nil {
			return err
		}
	}
	return r.extractAll(ctx)
}

// checkDestination makes sure that there is an empty directory to restore to.
func (r *Tree) checkDestination() error {
	entries, err := os.ReadDir(r.To)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.made = true
		// Only its owner may look into it: the modes of what is above the
		// source are not in the backup.
		if err := os.MkdirAll(r.To, 0o700); err != nil {
			return fmt.Errorf("make the destination: %w", err)
		}
	case err != nil:
		return fmt.Errorf("destination: %w", err)
	case len(entries) > 0:
		return cli.WithHint(fmt.Errorf("destination %q is not empty: it holds %q", r.To, entries[0].Name()),
			"restoring deletes what the backup does not have; give a new directory, or --in-place to restore over the source")
	}
	if r.To, err = filepath.Abs(r.To); err != nil {
		return err
	}
	if r.tree, err = nofollow.Open(r.To); err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	return nil
}

// extractAll restores, once everything has been checked.
func (r *Tree) extractAll(ctx context.Context) error {
	missing := map[string]bool{}
	r.show("restore", r.taken())
	defer r.From.Progress.End()
	for i, a := range r.Point.Chain {
		if r.skips(i) {
			continue
		}
		r.From.Log.Notef("extracting %s (%s)", a.Name, cli.FormatSize(a.Bytes))
		if err := r.makeRoom(i); err != nil {
			return fmt.Errorf("make room for %s: %w", a.Name, err)
		}
		var report *tar.Extraction
		notDirs, err := r.checkWay(r.chosen[i])
		if err == nil {
			report, err = r.extract(ctx, i, notDirs, tar.Extract(r.Source, r.To, r.chosen[i]), len(r.chosen[i]) > 0)
		}
		if err == nil {
			err = r.completeLinks(ctx, i, report)
		}
		if err != nil {
			return fmt.Errorf("restore %s of run %s: %w", a.Name, a.Run, err)
		}
		r.note(report)
		for _, p := range r.chosen[i] {
			missing[p] = slices.Contains(report.Missing, p)
		}
	}
	for _, p := range r.paths {
		if missing[p] { // in the last archive that should have it
			return r.noSuchPath(p)
		}
	}
	return nil
}

// taken are the archives that something is taken from.
func (r *Tree) taken() (all []catalog.Entry) {
	for i, a := range r.Point.Chain {
		if !r.skips(i) {
			all = append(all, a)
		}
	}
	return all
}

// skips tells that nothing is taken from archive number i.
func (r *Tree) skips(i int) bool { return len(r.paths) > 0 && len(r.chosen[i]) == 0 }

// extract runs tar with arguments on archive number i. Members of the names notDirs must
// be no directories. selective tells that it takes only some of the archive.
func (r *Tree) extract(ctx context.Context, i int, notDirs, args []string, selective bool) (*tar.Extraction, error) {
	report := &tar.Extraction{}
	status, err := r.From.Run(ctx, func() ([]chain.Status, error) {
		*report = tar.Extraction{Selective: selective}
		c, err := r.chain(r.Point.Chain[i], notDirs, args, report)
		if err != nil {
			return nil, err
		}
		r.begun = true
		return c.Run(ctx)
	})
	report.Failed = err == nil && len(report.Trouble) > 0 && status[len(status)-1].Code != 0
	return report, err
}

// note remembers what tar complained of.
func (r *Tree) note(report *tar.Extraction) {
	r.trouble = append(r.trouble, report.Trouble...)
	r.failed = r.failed || report.Failed
}

// chain is the chain that extracts an archive with tar's arguments. Members of
// the names notDirs must be no directories. report collects what tar says.
func (r *Tree) chain(a catalog.Entry, notDirs, args []string, report *tar.Extraction) (*chain.Chain, error) {
	stages, err := r.From.Guarded(a, r.Source, notDirs)
	if err != nil {
		return nil, err
	}
	extract, err := r.tarStage(args)
	if err != nil {
		return nil, err
	}
	extract.Accept = report.Accept
	hear := r.From.Hear()
	return &chain.Chain{Stages: append(stages, extract), Aside: r.From.Watch(a), Log: func(stage, line string) {
		if stage == "tar" {
			report.Line(line)
			return
		}
		hear(stage, line)
	}}, nil
}

// tarStage is tar with arguments, confined to where it is to write if the system
// can do that.
func (r *Tree) tarStage(args []string) (chain.Stage, error) {
	if confine.Supported() != nil {
		return r.From.Kit.Stage("tar", r.program, args), nil
	}
	path, err := r.From.Kit.Sibling("napback")
	below := r.To
	if r.inPlace {
		below = r.Source
	}
	return r.From.Kit.Stage("tar", path, append([]string{programs.Confined, below, r.program}, args...)), err
}

// finish tells how the restore ended.
func (r *Tree) finish(err error) (Done, error) {
	if r.made {
		_ = os.Remove(r.To) // unless something is in it
	}
	for _, line := range r.trouble {
		r.From.Log.Warnf("tar: %s", cli.Safe(line))
	}
	if err == nil && r.failed {
		err = errors.New("restore: some of it could not be restored as it was; all else is restored")
	}
	if err != nil {
		if _, gone := os.Lstat(r.To); r.begun && gone == nil {
			err = cli.WithHint(err, "what is below %q is not a complete restore", r.To)
		}
		return Done{}, err
	}
	done := Done{What: r.What(), Where: "to " + r.To, Warnings: len(r.trouble) > 0}
	if r.inPlace {
		done.Where = "in place"
	}
	return done, nil
}

// What names what is restored.
func (r *Tree) What() string {
	if len(r.paths) > 0 {
		return "/" + strings.Join(r.paths, ", /")
	}
	return r.Point.Source()
}

// Plan returns the commands of the restore. With PATHs it reads the increments to
// know them.
func (r *Tree) Plan(ctx context.Context) (lines []string, err error) {
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	for i, a := range r.Point.Chain {
		if r.skips(i) {
			continue
		}
		c, err := r.chain(a, nil, tar.Extract(r.Source, r.To, r.chosen[i]), &tar.Extraction{})
		if err != nil {
			return nil, err
		}
		lines = append(lines, c.Lines())
	}
	return lines, nil
}
