package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dump"
	"napback/napback/state"
	"napback/napback/tools"
)

// repository is a Subversion repository as it was when the job began. What is
// committed later is for the next backup.
type repository struct {
	path     dump.Subversion
	uuid     string
	youngest int64
	date     string // of youngest
	kit      tools.Kit
	ask      func(dump.Command) (string, error)
}

func (e *engine) newRepository(ctx context.Context, job *config.Job) (source, error) {
	switch _, err := os.Stat(job.Source); {
	case errors.Is(err, os.ErrNotExist):
		return nil, cli.WithHint(errors.New("the source has vanished: no such directory"), "was its disk not mounted?")
	case err != nil:
		return nil, err
	case !dump.IsRepository(job.Source):
		return nil, cli.WithHint(errors.New("the source is not a Subversion repository"), "of a directory with repositories below it, say SubversionDir")
	}
	r := &repository{path: dump.Subversion(job.Source), kit: e.kit,
		ask: func(c dump.Command) (string, error) { return e.ask(ctx, c) }}
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

func (r *repository) hash(job *config.Job) string { return hashOf(job, string(job.Kind), job.Source) }

// whyNotDiff also warns: whatever it finds, history that was there is gone.
func (r *repository) whyNotDiff(b *jobBackup, base *state.Point) string {
	why := r.replaced(base)
	if why != "" {
		b.warn(why)
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

func (r *repository) unchanged(base *state.Point) bool { return r.youngest == base.Revision }
func (r *repository) empty() bool                      { return r.youngest == 0 }
func (r *repository) unpack() string                   { return "svnadmin load --bypass-prop-validation REPOSITORY" }
func (r *repository) explain(err error) error          { return err }

// from is the first revision that an archive on base holds.
func from(base *state.Point) int64 {
	if base == nil {
		return 0
	}
	return base.Revision + 1
}

func (r *repository) stages(base *state.Point) ([]chain.Stage, error) {
	first, err := commandStage(r.kit, r.path.Dump(from(base), r.youngest))
	if err != nil {
		return nil, err
	}
	whole, err := wholeStage(r.kit, dump.FormatSubversion, dump.Range(from(base), r.youngest))
	return []chain.Stage{first, whole}, err
}

func (r *repository) plan(b *jobBackup) (string, []chain.Stage, error) {
	stages, err := r.stages(b.decision.Base)
	return "", stages, err
}

func (r *repository) begin(b *jobBackup) (reading, error) {
	stages, err := r.stages(b.decision.Base)
	return &dumpReading{producers: stages, state: func(p *state.Point) {
		p.UUID, p.Revision, p.RevisionDate, p.Empty = r.uuid, r.youngest, r.date, r.empty()
	}}, err
}
