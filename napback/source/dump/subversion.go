package dump

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
	"napback/napback/state"
)

// SubversionKind is the kind of Subversion repositories.
func SubversionKind() source.Kind {
	return source.Kind{
		Name:    "Subversion",
		Diffs:   true,
		Clean:   source.CleanPath,
		Open:    openRepository,
		LoadsTo: true,
		Whole:   wholeRevisions,
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			return &repositoryLoader{Host: host, to: Subversion(cmp.Or(load.As, load.Source))}, nil
		},
		Try:     tryRepository,
		LoadsAs: filepath.Abs,
	}
}

// Subversion is the path of a Subversion repository.
type Subversion string

// Dump is the command that writes the revisions from..to to stdout. Dumps of
// consecutive ranges, one after the other, make a dump of the whole range.
func (s Subversion) Dump(from, to int64) Command {
	args := []string{"dump", "--quiet"}
	if from > 0 {
		args = append(args, "--incremental")
	}
	return svnadmin(append(args, "--revision", Range(from, to), string(s))...)
}

// Range writes revisions as svnadmin and Copy take them.
func Range(from, to int64) string { return fmt.Sprintf("%d:%d", from, to) }

// Load is the command that adds the revisions of a dump from stdin. Properties
// that today's rules do not allow, but that are in the repository, stay as they
// are.
func (s Subversion) Load() Command {
	return svnadmin("load", "--quiet", "--bypass-prop-validation", string(s))
}

// Create is the command that makes an empty repository. Its first load gives it
// the UUID of the dump.
func (s Subversion) Create() Command { return svnadmin("create", string(s)) }

// Youngest is the command that prints the number of the last revision.
func (s Subversion) Youngest() Command { return svnlook("youngest", string(s)) }

// UUID is the command that prints which repository this is.
func (s Subversion) UUID() Command { return svnlook("uuid", string(s)) }

// Date is the command that prints when a revision was made, to the microsecond.
// A repository that was restored from an older copy and went on from there has
// the same UUID, but not the same dates.
func (s Subversion) Date(revision int64) Command {
	return svnlook("propget", "--revprop", "-r", strconv.FormatInt(revision, 10), string(s), "svn:date")
}

func svnadmin(args ...string) Command { return Command{Programs: []string{"svnadmin"}, Args: args} }
func svnlook(args ...string) Command  { return Command{Programs: []string{"svnlook"}, Args: args} }

// repository is a Subversion repository as it was when the job began. What is
// committed later is for the next backup.
type repository struct {
	kind     string
	path     Subversion
	uuid     string
	youngest int64
	date     string // of youngest
	kit      programs.Kit
	ask      func(Command) (string, error)
}

func openRepository(ctx context.Context, host source.Host, job source.Job) (source.Source, error) {
	switch _, err := os.Stat(job.Source); {
	case errors.Is(err, os.ErrNotExist):
		return nil, source.Vanished()
	case err != nil:
		return nil, err
	case !IsRepository(job.Source):
		return nil, cli.WithHint(errors.New("the source is not a Subversion repository"), "of a directory with repositories below it, say SubversionDir")
	}
	r := &repository{kind: job.Kind, path: Subversion(job.Source), kit: host.Kit,
		ask: func(c Command) (string, error) { return ask(ctx, host, c) }}
	youngest, err := r.ask(r.path.Youngest())
	if err != nil {
		return nil, err
	}
	if r.youngest, err = strconv.ParseInt(strings.TrimSpace(youngest), 10, 64); err != nil {
		return nil, fmt.Errorf("svnlook says that the youngest revision is %q", youngest)
	}
	if r.uuid, err = r.ask(r.path.UUID()); err != nil {
		return nil, err
	}
	r.date = r.dateOf(r.youngest)
	return r, nil
}

// dateOf is when a revision was made, "" if it does not tell.
func (r *repository) dateOf(revision int64) string {
	date, err := r.ask(r.path.Date(revision))
	if err != nil {
		return ""
	}
	return date
}

func (r *repository) Hash() []any { return []any{r.kind, string(r.path)} }

// WhyNotDiff also warns: whatever it finds, history that was there is gone.
func (r *repository) WhyNotDiff(t source.Turn) string {
	why := r.replaced(t.Base)
	if why != "" {
		t.Warn(why)
	}
	return why
}

// replaced tells how the repository differs from the one that base stored, or "".
func (r *repository) replaced(base *state.Point) string {
	switch {
	case base.UUID != r.uuid:
		return fmt.Sprintf("another repository is at this place: its UUID is %s, and was %s", r.uuid, base.UUID)
	case r.youngest < base.Revision:
		return fmt.Sprintf("the repository ends with revision %d, and had revision %d before", r.youngest, base.Revision)
	case r.dateOf(base.Revision) != base.RevisionDate:
		return fmt.Sprintf("revision %d is not the one that was stored: was the repository restored from an older copy?", base.Revision)
	}
	return ""
}

func (r *repository) Unchanged(base *state.Point) bool { return r.youngest == base.Revision }
func (r *repository) Empty() bool                      { return r.youngest == 0 }
func (r *repository) Unpack() string                   { return "svnadmin load --bypass-prop-validation REPOSITORY" }
func (r *repository) Explain(err error) error          { return err }

// from is the first revision that an archive on base holds.
func from(base *state.Point) int64 {
	if base == nil {
		return 0
	}
	return base.Revision + 1
}

func (r *repository) stages(base *state.Point) ([]chain.Stage, error) {
	first, err := stageOf(r.kit, r.path.Dump(from(base), r.youngest))
	if err != nil {
		return nil, err
	}
	whole, err := wholeStage(r.kit, FormatSubversion, Range(from(base), r.youngest))
	return []chain.Stage{first, whole}, err
}

func (r *repository) Plan(t source.Turn) (string, []chain.Stage, error) {
	stages, err := r.stages(t.Base)
	return "", stages, err
}

func (r *repository) Begin(t source.Turn) (source.Reading, error) {
	stages, err := r.stages(t.Base)
	return &reading{producers: stages, meta: map[string]string{revisionsMeta: Range(from(t.Base), r.youngest)}, state: func(p *state.Point) {
		p.UUID, p.Revision, p.RevisionDate, p.Empty = r.uuid, r.youngest, r.date, r.Empty()
	}}, err
}

// repositoryLoader loads dumps into a repository.
type repositoryLoader struct {
	source.Host
	source.Unseen
	to   Subversion
	made bool // the repository
}

func (l *repositoryLoader) Where() string           { return "to " + string(l.to) }
func (l *repositoryLoader) Explain(err error) error { return err }

func (l *repositoryLoader) Target(context.Context) (string, error) {
	return fmt.Sprintf("into the repository %q", l.to), nil
}

// Undo names the way back to a repository that is not there, or is empty.
func (l *repositoryLoader) Undo(context.Context) string {
	undo := "what has been loaded is not a complete restore; this removes it: rm -r " + shell.Quote(string(l.to))
	if !l.made {
		undo += ", and svnadmin create " + shell.Quote(string(l.to)) + " makes it anew; its hooks and configuration go with it"
	}
	return undo
}

func (l *repositoryLoader) Before() ([]chain.Stage, error) {
	create, err := stageOf(l.Kit, l.to.Create())
	return []chain.Stage{create}, err
}

// Prepare makes an empty repository, or checks that there is one.
func (l *repositoryLoader) Prepare(ctx context.Context) error {
	if _, err := os.Lstat(string(l.to)); errors.Is(err, fs.ErrNotExist) {
		_, err := ask(ctx, l.Host, l.to.Create())
		l.made = err == nil
		return err
	}
	youngest, err := ask(ctx, l.Host, l.to.Youngest())
	if err == nil && youngest != "0" {
		err = cli.WithHint(fmt.Errorf("repository %q has revisions already, up to %s", l.to, youngest), "--as DIR loads into a new one")
	}
	return err
}

func (l *repositoryLoader) Stages(context.Context) ([]chain.Stage, error) {
	s, err := stageOf(l.Kit, l.to.Load())
	return []chain.Stage{s}, err
}
