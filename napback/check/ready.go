// Package check tests whether jobs could run now (Ready), and whether what they have
// stored can be restored (Verifier). It changes nothing that lasts, and tells nobody
// anything, unless it is asked to.
package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
)

// Ready tests that jobs could run now:
//
//  1. The programs that backups and restores need are there.
//  2. Everything can be encrypted to the recipients, and for how long.
//  3. DiffDirs can be written, and each source can be read: databases are asked for
//     all but their rows.
//  4. Each store answers, once for all jobs that come to it in one way, and its
//     clock is right. With Write a small archive is stored, read back and removed.
//  5. What the stores hold under the jobs' names is theirs.
//  6. There is space where something is written.
//  7. The log can be written, and the channels that tell people how a run went work
//     as far as that shows without telling anybody anything. With Tell they do.
//
// Nothing that fails, or hangs, keeps the others from being tested.
type Ready struct {
	Host backup.Host
	Day  decide.Day

	Write bool     // to the stores
	Tell  []string // the flags of the channels that really tell people: mail, ping

	Result func(what string, err error) // takes what is well, or why it is not
	Doubt  func(what, why string)       // takes what is doubtful
	Heard  func(line string)            // takes what pgpipe says of the recipients

	limit time.Duration // instead of those of the tests
}

// survey is what the steps of one Check know.
type survey struct {
	*Ready
	configs []*config.Config
	all     []jobs.Target
	stores  []*place
	fulls   map[string]catalog.Entry // the newest FULL of each job
}

// Check does the steps. It fails only if it is interrupted.
func (r *Ready) Check(ctx context.Context, configs []*config.Config) error {
	quiet := *r // once it is interrupted
	quiet.Result = func(what string, err error) {
		if ctx.Err() == nil {
			r.Result(what, err)
		}
	}
	quiet.Doubt = func(what, why string) {
		if ctx.Err() == nil {
			r.Doubt(what, why)
		}
	}
	s := &survey{Ready: &quiet, configs: configs, fulls: map[string]catalog.Entry{}}
	for _, c := range configs {
		s.Result(fmt.Sprintf("configuration %s: %s", c.Path, cli.Plural(len(c.Jobs), "job", "jobs")), nil)
	}
	var err error
	if s.all, err = within(ctx, r, short, func(context.Context) ([]jobs.Target, error) { return jobs.All(configs), nil }); err != nil {
		s.Result("sources", err)
	}
	for _, step := range []func(context.Context){s.programs, s.recipients, s.sources, s.buckets, s.archives, s.space, s.logs, s.channels} {
		step(ctx)
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// encrypts tells whether there are recipients.
func (s *survey) encrypts() bool {
	return slices.ContainsFunc(s.all, func(t jobs.Target) bool { return len(t.Settings.GpgRecipients) > 0 })
}

// programs checks what backups and restores are composed of.
func (s *survey) programs(ctx context.Context) {
	names := []string{"s3put", "s3get", "s3ls", "s3rm"}
	if s.encrypts() {
		names = append(names, "pgpipe")
	}
	for _, name := range names {
		_, err := s.Host.Kit.Sibling(name)
		s.Result("program "+name, err)
	}
	_, err := within(ctx, s.Ready, short, s.Host.Kit.GNUTar)
	s.Result("program GNU tar", err)
	seen := map[string]bool{}
	for _, t := range s.all {
		if how := t.Settings.Compression; !seen[how] {
			seen[how] = true
			_, err := s.Host.Kit.Compressor(how)
			s.Result("compression "+how, err)
		}
	}
}
