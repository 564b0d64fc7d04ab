package check

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"napback/napback/logging"
	"napback/napback/notify"
)

// logs checks that log files can be written.
func (s *survey) logs(ctx context.Context) {
	seen := map[string]bool{}
	for _, c := range s.configs {
		path := c.Settings.LogFile
		if path == "" || seen[path] {
			continue
		}
		seen[path] = true
		s.Result("LogFile "+path, tried(ctx, s.Ready, short, func(context.Context) error {
			there, err := logging.Try(path)
			if err == nil && !there {
				err = writable(filepath.Dir(path))
			}
			return err
		}))
	}
}

// channels tries what tells people how a run went.
func (s *survey) channels(ctx context.Context) {
	seen, told := map[string]bool{}, map[string]bool{}
	for _, set := range s.notifies() {
		for _, t := range notify.Tries(set) {
			if seen[t.Flag+t.Key] || ctx.Err() != nil {
				continue
			}
			seen[t.Flag+t.Key], told[t.Flag] = true, true
			do := t.Look
			if slices.Contains(s.Tell, t.Flag) {
				do = func(ctx context.Context) (string, error) { return t.Tell(ctx, s.Host.Name) }
			}
			did, err := within(ctx, s.Ready, short, do)
			what := t.What
			if err == nil {
				what += ": " + did
			}
			s.Result(what, err)
		}
	}
	for _, flag := range s.Tell {
		if !told[flag] {
			s.Result("--"+flag, fmt.Errorf("the configuration has nothing for it"))
		}
	}
}

// notifies are the settings of all channels, of runs and of jobs.
func (s *survey) notifies() (all []notify.Settings) {
	for _, c := range s.configs {
		all = append(all, c.Settings.Notify)
		for i := range c.Jobs {
			all = append(all, c.Jobs[i].Settings.Notify)
		}
	}
	return all
}
