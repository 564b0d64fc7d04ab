package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/journal"
	"napback/napback/programs"
	"napback/napback/state"
	"napback/napback/tools"
)

func checkCommand(std cli.Streams) *urfave.Command {
	return command(std, check, &urfave.Command{
		Name:  "check",
		Usage: "test that the jobs could run now, without running them",
		Description: "Checks the configuration, the programs that backups and restores need, the recipients,\n" +
			"the sources, DiffDir, and that the bucket answers. Changes nothing.",
	})
}

// checker prints what it finds and remembers whether all was well.
type checker struct {
	std  cli.Streams
	log  *journal.Journal
	kit  programs.Kit
	day  decide.Day
	host backup.Host
	find jobs.Finder

	bad    bool
	warned bool
}

// warn prints a line "WARN WHAT", and what is doubtful on stderr.
func (k *checker) warn(what, why string) error {
	k.warned = true
	k.log.Warnf("%s: %s", cli.Safe(what), cli.Safe(why))
	return cli.Printf(k.std.Out, "WARN %s\n", cli.Safe(what))
}

// say prints a line: "ok WHAT", or "BAD WHAT" and the error on stderr.
func (k *checker) say(what string, err error) error {
	state := "ok"
	if err != nil {
		state, k.bad = "BAD", true
		cli.PrintError(k.std.Err, "napback", fmt.Errorf("%s: %w", what, err))
	}
	return cli.Printf(k.std.Out, "%-3s %s\n", state, cli.Safe(what))
}

func check(c *urfave.Context, e *call, configs []*config.Config) error {
	if c.NArg() > 0 {
		return cli.UsageErrorf("check takes no arguments: it checks all jobs")
	}
	for _, cfg := range configs {
		e.tellNotes(cfg)
	}
	k := &checker{std: e.std, log: e.log, kit: e.kit, day: e.day, host: e.machine(), find: e.finder()}
	ctx := c.Context
	for _, step := range []func(context.Context, []*config.Config) error{k.programs, k.recipients, k.sources, k.buckets, k.owners} {
		if err := step(ctx, configs); err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	switch {
	case k.bad:
		return cli.Exit(cli.Failed)
	case k.warned:
		return cli.Exit(cli.Warnings)
	}
	return nil
}

// programs checks what backups and restores are composed of.
func (k *checker) programs(ctx context.Context, configs []*config.Config) error {
	for _, cfg := range configs {
		if err := k.say(fmt.Sprintf("configuration %s: %s", cfg.Path, cli.Plural(len(cfg.Jobs), "job", "jobs")), nil); err != nil {
			return err
		}
	}
	names := []string{"s3put", "s3get", "s3ls"}
	if encrypts(configs) {
		names = append(names, "pgpipe")
	}
	for _, name := range names {
		_, err := k.kit.Sibling(name)
		if err := k.say("program "+name, err); err != nil {
			return err
		}
	}
	_, err := k.kit.GNUTar(ctx)
	if err := k.say("program GNU tar", err); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range jobs.All(configs) {
		how := t.Settings.Compression
		if seen[how] {
			continue
		}
		seen[how] = true
		_, err := k.kit.Compressor(how)
		if err := k.say("compression "+how, err); err != nil {
			return err
		}
	}
	return nil
}

func encrypts(configs []*config.Config) bool {
	for _, t := range jobs.All(configs) {
		if len(t.Settings.GpgRecipients) > 0 {
			return true
		}
	}
	return false
}

// recipients checks that the jobs' keys can be encrypted to.
func (k *checker) recipients(ctx context.Context, configs []*config.Config) error {
	if !encrypts(configs) {
		return nil
	}
	_, err := k.host.CheckRecipients(ctx, configs, func(line string) { fmt.Fprintln(k.std.Err, cli.Safe(line)) })
	return k.say("recipients", err)
}

// sources checks the sources and the directories for state.
func (k *checker) sources(ctx context.Context, configs []*config.Config) error {
	seen := map[string]bool{}
	for _, t := range jobs.All(configs) {
		if dir := t.Settings.DiffDir; !seen[dir] {
			seen[dir] = true
			if err := k.say("DiffDir "+dir, checkState(dir)); err != nil {
				return err
			}
		}
		if err := k.source(ctx, t.Job); err != nil {
			return err
		}
	}
	return nil
}

// source checks the source of a job, and warns of what is doubtful about it.
func (k *checker) source(ctx context.Context, job *config.Job) error {
	_, err := k.host.OpenSource(ctx, job)
	doubt := ""
	if err == nil && job.Kind.Probe != nil {
		doubt, err = job.Kind.Probe(job.OfSource())
	}
	if doubt != "" {
		return k.warn(job.String(), doubt)
	}
	return k.say(job.String(), err)
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

// buckets checks that each job's bucket answers.
func (k *checker) buckets(ctx context.Context, configs []*config.Config) error {
	seen := map[string]bool{}
	for _, t := range jobs.All(configs) {
		s := t.Settings
		// Jobs of one bucket and the same access need one question only.
		key := tools.Open(k.kit, s, nil).Access()
		if seen[key] {
			continue
		}
		seen[key] = true
		// The prefix keeps the answer short: only its coming matters.
		l, err := k.find.Listing(ctx, t)
		if err := k.say("bucket "+s.Bucket, err); err != nil {
			return err
		}
		if err := k.clock(s.Bucket, l.Time); err != nil {
			return err
		}
	}
	return nil
}

// clock compares a store's clock with this host's.
func (k *checker) clock(bucket string, clock time.Time) error {
	if clock.IsZero() {
		return nil
	}
	off := k.host.Now().Sub(clock).Round(time.Second)
	what := fmt.Sprintf("clock, %v from that of bucket %s", off.Abs(), bucket)
	if off.Abs() > decide.MaxSkew {
		return k.warn(what, "dates and runs will be taken from the store's")
	}
	return k.say(what, nil)
}

// owners reports archives under the jobs' names that are not the jobs' own, and
// those that do not count. Where the bucket does not answer that is told already.
func (k *checker) owners(ctx context.Context, configs []*config.Config) error {
	for _, t := range jobs.All(configs) {
		dir, err := state.Open(t.Settings.DiffDir)
		if err != nil {
			continue
		}
		held, err := tools.Open(k.kit, t.Settings, func(string, string) {}).Contents(ctx, t.Name)
		if err != nil {
			continue
		}
		if err := k.signatures(t, held); err != nil {
			return err
		}
		if held.ListDenied {
			continue
		}
		found, err := k.host.SurveyOf(ctx, t.Job, dir, k.day, held)
		if err != nil {
			return err
		}
		for _, who := range found.Self.Strangers(held.Runs, &found.Record) {
			if err := k.warn("archives of "+t.Name, "there are also those of "+who+": every backup will warn of them"); err != nil {
				return err
			}
		}
		for _, r := range held.Runs {
			if r.State == catalog.Incomplete || r.State == catalog.Unsigned || r.Denied {
				continue
			}
			if why := held.Flaw(r); why != "" {
				if err := k.warn(fmt.Sprintf("%s, run %s", r.Name, r.Run), why); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// signatures tells where VerifyKey cannot bind a job's backups, and how many of
// its archives do not count because of it.
func (k *checker) signatures(t jobs.Target, held *catalog.Contents) error {
	if len(t.Settings.VerifyKeys()) == 0 {
		return nil
	}
	if t.Settings.SignKey() == "" {
		if err := k.warn("backups of "+t.Name, "there is a VerifyKey but no SignKey: it can only be restored from here"); err != nil {
			return err
		}
	}
	if held.ListDenied || slices.ContainsFunc(held.Runs, func(r catalog.Entry) bool { return r.Denied }) {
		k.log.Notef("job %q: these credentials may not read manifests, so that VerifyKey binds only who restores", t.Name)
	}
	if n := held.Unsigned(); n > 0 {
		return k.warn(fmt.Sprintf("archives of %s, %d of them", t.Name, n),
			"they are not signed by a VerifyKey and do not count; those that nobody has signed can be restored with --accept-unsigned")
	}
	return nil
}
