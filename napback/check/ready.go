// Package check tests, and changes nothing: whether jobs could run now (Ready), and
// whether what they have stored can be restored (Verifier).
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/state"
	"napback/napback/tools"
)

// Ready tests that jobs could run now. Its steps look at the programs that backups and
// restores need, the recipients, the sources and DiffDirs, the buckets, and at what
// there is in these under the jobs' names.
type Ready struct {
	Host backup.Host
	Day  decide.Day
	Find jobs.Finder

	Result func(what string, err error) // takes what is well, or why it is not
	Doubt  func(what, why string)       // takes what is doubtful
	Heard  func(line string)            // takes what pgpipe says of the recipients
}

// Check does the steps. It fails only if it cannot go on.
func (r *Ready) Check(ctx context.Context, configs []*config.Config) error {
	for _, c := range configs {
		r.Result(fmt.Sprintf("configuration %s: %s", c.Path, cli.Plural(len(c.Jobs), "job", "jobs")), nil)
	}
	all := jobs.All(configs)
	encrypts := slices.ContainsFunc(all, func(t jobs.Target) bool { return len(t.Settings.GpgRecipients) > 0 })
	var failed error
	for _, step := range []func(){
		func() { r.programs(ctx, all, encrypts) },
		func() {
			if encrypts {
				_, err := r.Host.CheckRecipients(ctx, configs, r.Heard)
				r.Result("recipients", err)
			}
		},
		func() { r.sources(ctx, all) },
		func() { r.buckets(ctx, all) },
		func() { failed = r.owners(ctx, all) },
	} {
		step()
		if err := cmp.Or(failed, context.Cause(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// programs checks what backups and restores are composed of.
func (r *Ready) programs(ctx context.Context, all []jobs.Target, encrypts bool) {
	names := []string{"s3put", "s3get", "s3ls"}
	if encrypts {
		names = append(names, "pgpipe")
	}
	for _, name := range names {
		_, err := r.Host.Kit.Sibling(name)
		r.Result("program "+name, err)
	}
	_, err := r.Host.Kit.GNUTar(ctx)
	r.Result("program GNU tar", err)
	seen := map[string]bool{}
	for _, t := range all {
		if how := t.Settings.Compression; !seen[how] {
			seen[how] = true
			_, err := r.Host.Kit.Compressor(how)
			r.Result("compression "+how, err)
		}
	}
}

// sources checks the sources and the directories for state.
func (r *Ready) sources(ctx context.Context, all []jobs.Target) {
	seen := map[string]bool{}
	for _, t := range all {
		if dir := t.Settings.DiffDir; !seen[dir] {
			seen[dir] = true
			r.Result("DiffDir "+dir, checkState(dir))
		}
		_, err := r.Host.OpenSource(ctx, t.Job)
		doubt := ""
		if err == nil && t.Job.Kind.Probe != nil {
			doubt, err = t.Job.Kind.Probe(t.Job.OfSource())
		}
		if doubt != "" {
			r.Doubt(t.Job.String(), doubt)
		} else {
			r.Result(t.Job.String(), err)
		}
	}
}

// checkState checks that state can be written, without writing any.
func checkState(dir string) error {
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

// buckets checks that each job's bucket answers. Jobs of one bucket and the same
// access need one question only.
func (r *Ready) buckets(ctx context.Context, all []jobs.Target) {
	seen := map[string]bool{}
	for _, t := range all {
		key := tools.Open(r.Host.Kit, t.Settings, nil).Access()
		if seen[key] {
			continue
		}
		seen[key] = true
		// The prefix keeps the answer short: only its coming matters.
		l, err := r.Find.Listing(ctx, t)
		r.Result("bucket "+t.Settings.Bucket, err)
		if l.Time.IsZero() {
			continue
		}
		off := r.Host.Now().Sub(l.Time).Round(time.Second).Abs()
		what := fmt.Sprintf("clock, %v from that of bucket %s", off, t.Settings.Bucket)
		if off > decide.MaxSkew {
			r.Doubt(what, "dates and runs will be taken from the store's")
		} else {
			r.Result(what, nil)
		}
	}
}

// owners reports archives under the jobs' names that are not the jobs' own, and
// those that do not count. A bucket that does not answer was reported before.
func (r *Ready) owners(ctx context.Context, all []jobs.Target) error {
	for _, t := range all {
		dir, err := state.Open(t.Settings.DiffDir)
		if err != nil {
			continue
		}
		c, err := tools.Open(r.Host.Kit, t.Settings, func(string, string) {}).Contents(ctx, t.Name)
		if err != nil {
			continue
		}
		r.signatures(t, c)
		if c.ListDenied {
			continue
		}
		found, err := r.Host.SurveyOf(ctx, t.Job, dir, r.Day, c)
		if err != nil {
			return err
		}
		for _, who := range found.Self.Strangers(c.Runs, &found.Record) {
			r.Doubt("archives of "+t.Name, "there are also those of "+who+": every backup will warn of them")
		}
		for _, e := range c.Runs {
			if e.State == catalog.Incomplete || e.State == catalog.Unsigned || e.Denied {
				continue
			}
			if why := c.Flaw(e); why != "" {
				r.Doubt(fmt.Sprintf("%s, run %s", e.Name, e.Run), why)
			}
		}
	}
	return nil
}

// signatures tells where VerifyKey cannot bind a job's backups, and how many of
// its archives do not count because of it.
func (r *Ready) signatures(t jobs.Target, c *catalog.Contents) {
	if len(t.Settings.VerifyKeys()) == 0 {
		return
	}
	if t.Settings.SignKey() == "" {
		r.Doubt("backups of "+t.Name, "there is a VerifyKey but no SignKey: it can only be restored from here")
	}
	if c.ListDenied || slices.ContainsFunc(c.Runs, func(e catalog.Entry) bool { return e.Denied }) {
		r.Host.Log.Notef("job %q: these credentials may not read manifests, so that VerifyKey binds only who restores", t.Name)
	}
	if n := c.Unsigned(); n > 0 {
		r.Doubt(fmt.Sprintf("archives of %s, %d of them", t.Name, n),
			"they are not signed by a VerifyKey and do not count; those that nobody has signed can be restored with --accept-unsigned")
	}
}
