package check

import (
	"context"
	"fmt"
	"slices"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/jobs"
	"napback/napback/state"
	"napback/napback/tools"
)

// archives reports archives under the jobs' names that are not the jobs' own, and
// those that do not count. A store that does not answer was reported before.
func (s *survey) archives(ctx context.Context) {
	for _, p := range s.stores {
		for _, t := range p.jobs {
			if p.dead || ctx.Err() != nil {
				break
			}
			s.archivesOf(ctx, t)
		}
	}
}

func (s *survey) archivesOf(ctx context.Context, t jobs.Target) {
	c, err := within(ctx, s.Ready, short, func(ctx context.Context) (*catalog.Contents, error) {
		return tools.Open(s.Host.Kit, t.Settings, func(string, string) {}).Contents(ctx, t.Name)
	})
	if err != nil {
		s.Result("archives of "+t.Name, tools.Explain(ctx, err))
		return
	}
	s.signatures(t, c)
	if c.ListDenied {
		return
	}
	for _, e := range c.Runs {
		if e.IsArchive() && e.Type() == slot.Full && e.Run > s.fulls[t.Name].Run {
			s.fulls[t.Name] = e
		}
		if e.State == catalog.Incomplete || e.State == catalog.Unsigned || e.Denied {
			continue
		}
		if why := c.Flaw(e); why != "" {
			s.Doubt(fmt.Sprintf("%s, run %s", e.Name, e.Run), why)
		}
	}
	dir, err := state.Open(t.Settings.DiffDir)
	if err != nil {
		return // which was reported
	}
	strangers, err := within(ctx, s.Ready, short, func(ctx context.Context) ([]string, error) {
		found, err := s.Host.SurveyOf(ctx, t.Job, dir, s.Day, c)
		if err != nil {
			return nil, err
		}
		return found.Self.Strangers(c.Runs, &found.Record), nil
	})
	if err != nil {
		s.Result("archives of "+t.Name, tools.Explain(ctx, err))
	}
	for _, who := range strangers {
		s.Doubt("archives of "+t.Name, "there are also those of "+who+": every backup will warn of them")
	}
}

// signatures tells where VerifyKey cannot bind a job's backups, and how many of
// its archives do not count because of it.
func (s *survey) signatures(t jobs.Target, c *catalog.Contents) {
	if len(t.Settings.VerifyKeys()) == 0 {
		return
	}
	if t.Settings.SignKey() == "" {
		s.Doubt("backups of "+t.Name, "there is a VerifyKey but no SignKey: it can only be restored from here")
	}
	if c.ListDenied || slices.ContainsFunc(c.Runs, func(e catalog.Entry) bool { return e.Denied }) {
		s.Host.Log.Notef("job %q: these credentials may not read manifests, so that VerifyKey binds only who restores", t.Name)
	}
	if n := c.Unsigned(); n > 0 {
		s.Doubt(fmt.Sprintf("archives of %s, %d of them", t.Name, n),
			"they are not signed by a VerifyKey and do not count; those that nobody has signed can be restored with --accept-unsigned")
	}
}
