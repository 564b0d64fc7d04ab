package dump

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/source"
	"napback/napback/state"
	"napback/napback/tools"
	"os"
	"strconv"
	"strings"
)

// SubversionKind is the kind of Subversion repositories.
func SubversionKind() source.Kind {
	return source.Kind{
		Name:    "Subversion",
		Diffs:   true,
		Clean:   source.CleanPath,
		Open:    openRepository,
		LoadsTo: true,
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			return &repositoryLoader{host, Subversion(cmp.Or(load.To, load.Source))}, nil
		},
	}
}

// repository is a Subversion repository as it was when the job began. What is
// committed later is for the next backup.
type repository struct {
	kind     string
	path     Subversion
	uuid     string
	youngest int64
	date     string // of youngest
	kit      tools.Kit
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

// Hash has no options: there are none.
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

// Unchanged tells that no revision is new.
func (r *repository) Unchanged(base *state.Point) bool { return r.youngest == base.Revision }

// Empty tells that there is no revision.
func (r *repository) Empty() bool { return r.youngest == 0 }

// Unpack loads one archive after the other.
func (r *repository) Unpack() string { return "svnadmin load --bypass-prop-validation REPOSITORY" }

// Explain has nothing to add: svnadmin says it.
func (r *repository) Explain(err error) error { return err }

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

// Plan needs nothing before.
func (r *repository) Plan(t source.Turn) (string, []chain.Stage, error) {
	stages, err := r.stages(t.Base)
	return "", stages, err
}

// Begin needs nothing besides the stages.
func (r *repository) Begin(t source.Turn) (source.Reading, error) {
	stages, err := r.stages(t.Base)
	return &reading{producers: stages, state: func(p *state.Point) {
		p.UUID, p.Revision, p.RevisionDate, p.Empty = r.uuid, r.youngest, r.date, r.Empty()
	}}, err
}

// repositoryLoader loads dumps into a repository.
type repositoryLoader struct {
	source.Host
	to Subversion
}

// Where names the repository.
func (l *repositoryLoader) Where() string { return "to " + string(l.to) }

// Before makes the repository.
func (l *repositoryLoader) Before() ([]chain.Stage, error) {
	create, err := stageOf(l.Kit, l.to.Create())
	return []chain.Stage{create}, err
}

// Prepare makes an empty repository, or checks that there is one.
func (l *repositoryLoader) Prepare(ctx context.Context) error {
	if _, err := os.Lstat(string(l.to)); errors.Is(err, fs.ErrNotExist) {
		_, err := ask(ctx, l.Host, l.to.Create())
		return err
	}
	youngest, err := ask(ctx, l.Host, l.to.Youngest())
	if err == nil && youngest != "0" {
		err = cli.WithHint(fmt.Errorf("repository %q has revisions already, up to %s", l.to, youngest), "--to DIR loads into a new one")
	}
	return err
}

// Stages are svnadmin.
func (l *repositoryLoader) Stages(context.Context) ([]chain.Stage, error) {
	s, err := stageOf(l.Kit, l.to.Load())
	return []chain.Stage{s}, err
}

// Explain has nothing to add: svnadmin says it.
func (l *repositoryLoader) Explain(err error) error { return err }
