package check

import (
	"context"
	"errors"
	"slices"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/jobs"
	"napback/napback/unpack"
)

// Verifier checks the archives of jobs, each once.
type Verifier struct {
	Find        jobs.Finder
	From        unpack.Reader // the settings are each job's
	Who         catalog.Wanted
	All         bool           // all archives, else those of
	At          catalog.Moment // this
	Unpack      bool           // also decrypt and decompress
	AcceptPlain bool           // what is not encrypted

	// Result takes what was found of each archive: nil, why it is bad, or an Unjudged.
	// Its error ends the job's.
	Result func(a catalog.Entry, err error) error
	done   map[string]error  // by address
	holds  map[string]string // what streams hold, by job and run
}

// Jobs verifies the archives of jobs. failed takes why a job's are not all well. The
// error prints nothing, and has the exit code of the gravest.
func (v *Verifier) Jobs(ctx context.Context, all []jobs.Target, failed func(jobs.Target, error)) error {
	v.done, v.holds = map[string]error{}, map[string]string{}
	var bad []error
	for _, t := range all {
		if err := v.job(ctx, t); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if cli.ExitStatus(err) != cli.Warnings { // Result has said all of that
				failed(t, err)
			}
			bad = append(bad, err)
		}
	}
	return worst(bad)
}

// worst returns an error that prints nothing, with the exit code of the gravest:
// damage before absence before anything else, and last what nobody can judge.
func worst(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	gravity := []int{cli.Warnings, cli.Failed, cli.NotFound, cli.Integrity}
	worst := 0
	for _, err := range errs {
		i := slices.Index(gravity, cli.ExitStatus(err))
		if i < 0 {
			i = slices.Index(gravity, cli.Failed)
		}
		worst = max(worst, i)
	}
	return cli.Exit(gravity[worst])
}

// job verifies the archives of a job.
func (v *Verifier) job(ctx context.Context, t jobs.Target) error {
	archives, broken, err := v.choose(ctx, t)
	if err != nil {
		return err
	}
	var bad []error
	for _, a := range archives {
		err, known := v.done[a.Address()]
		if !known {
			err = judged(v.one(ctx, t, a))
			if err == nil && broken[a.Address()] != nil {
				err = cli.Errorf(cli.NotFound, "it cannot be restored: %w", broken[a.Address()])
			}
			v.done[a.Address()] = err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			bad = append(bad, err)
		}
		if err := v.Result(a, err); err != nil {
			return err
		}
	}
	if len(bad) == 0 {
		return nil
	}
	code := cli.ExitStatus(worst(bad))
	if code != cli.Warnings {
		bad = slices.DeleteFunc(bad, func(err error) bool { return cli.ExitStatus(err) == cli.Warnings })
	}
	return cli.WithCode(code, errors.Join(bad...))
}

// choose returns what is to be verified of a job. broken tells, by address, which
// builds on what is not there.
func (v *Verifier) choose(ctx context.Context, t jobs.Target) (archives []catalog.Entry, broken map[string]error, err error) {
	if !v.All {
		p, err := v.Find.Point(ctx, t, v.Who, v.At)
		return p.Chain, nil, err
	}
	a, _, err := v.Find.Archives(ctx, t, v.Who)
	if err != nil {
		return nil, nil, err
	}
	v.Find.Warn(t, a, catalog.RecoveryPoint{})
	if archives = slices.Concat(a.All, a.Unreadable); len(archives) == 0 {
		return nil, nil, cli.Errorf(cli.NotFound, "it has no archives")
	}
	broken = map[string]error{}
	for _, p := range a.Points() {
		broken[p.Address()] = p.Broken
	}
	return archives, broken, nil
}
