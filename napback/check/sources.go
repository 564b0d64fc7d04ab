package check

import (
	"context"
	"errors"
	"os"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/jobs"
	"napback/napback/source"
)

// sources checks the sources and the directories that are written to.
func (s *survey) sources(ctx context.Context) {
	seen := map[string]bool{}
	place := func(what, dir string) {
		if seen[what+dir] {
			return
		}
		seen[what+dir] = true
		s.Result(what+" "+dir, tried(ctx, s.Ready, short, func(context.Context) error { return canWrite(dir) }))
	}
	for _, t := range s.all {
		if ctx.Err() != nil {
			return
		}
		place("DiffDir", t.Settings.DiffDir)
		if t.Settings.UseTempFile {
			place("TempDir", t.Settings.TempDir)
		}
		doubt, err := within(ctx, s.Ready, long, func(ctx context.Context) (string, error) { return s.source(ctx, t) })
		switch {
		case err != nil && len(t.Settings.RunBefore) > 0:
			s.Doubt(t.Job.String(), err.Error()+" (its RunBefore may change that)")
		case doubt != "":
			s.Doubt(t.Job.String(), doubt)
		default:
			s.Result(t.Job.String(), err)
		}
	}
}

// source opens the source of a job, and tries as much as is cheap.
func (s *survey) source(ctx context.Context, t jobs.Target) (doubt string, err error) {
	from, err := s.Host.OpenSource(ctx, t.Job)
	if err == nil && t.Job.Kind.Probe != nil {
		doubt, err = t.Job.Kind.Probe(t.Job.OfSource())
	}
	played, ok := from.(source.Rehearser)
	if err != nil || !ok {
		return doubt, err
	}
	stages, err := played.Rehearse()
	if err != nil {
		return doubt, err
	}
	c := chain.Chain{Stages: stages, Log: s.Host.Source().Heard}
	_, err = c.Run(ctx)
	return doubt, played.Explain(err)
}

// canWrite checks that files can be made in a directory, without making one.
func canWrite(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return cli.WithHint(err, "make it by hand; it is not made by itself since it may be a mount point")
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("it is not a directory")
	}
	return writable(dir)
}
