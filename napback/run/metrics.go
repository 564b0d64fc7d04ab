package run

import (
	"context"
	"errors"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/metrics"
	"napback/napback/standing"
	"napback/napback/tools"
)

// left is what the buckets hold of jobs after these, by their names. Of those that are
// not in it the buckets were not asked, or did not answer.
type left map[string]*catalog.Contents

// metricsTime is how long buckets may take that are asked for the metrics alone.
const metricsTime = 2 * time.Minute

// writeMetrics writes the MetricsFile of a configuration, however its jobs went.
// Buckets are asked for the jobs that this run has not listed, and each store only
// until it does not answer. That it cannot is a warning: it never fails a backup.
func (r *Run) writeMetrics(ctx context.Context, log tools.Log, c *config.Config, left left) {
	path := c.Settings.MetricsFile
	if path == "" {
		return
	}
	ctx, cancel := lastContext(ctx, metricsTime)
	defer cancel()
	clock := jobs.Clock{Now: r.Host.Now(), Today: func(store time.Time) slot.Date { return backup.DateBy(r.Day, r.Host.Now(), store).Today }}
	text, err := metrics.Text(r.standings(ctx, log, c, clock, left), clock.Now, cli.Version())
	if err == nil {
		err = metrics.Write(path, text)
	}
	if err != nil {
		log.Warnf("%v", err)
	}
}

// standings tells how the jobs of a configuration stand.
func (r *Run) standings(ctx context.Context, log tools.Log, c *config.Config, clock jobs.Clock, left left) []standing.Standing {
	find := jobs.Finder{Kit: r.Host.Kit, Log: log}
	silent := map[string]bool{} // stores that do not answer
	all := jobs.All([]*config.Config{c})
	var lines []standing.Standing
	for _, t := range all {
		contents := left[t.Name]
		store := tools.Open(r.Host.Kit, t.Settings, func(string, string) {}).Access()
		if contents == nil && silent[store] {
			lines = append(lines, find.Unknown(t, clock, "its bucket does not answer"))
			continue
		}
		s, _, err := find.Standing(ctx, t, catalog.Wanted{}, clock, contents)
		if err != nil && contents == nil && !errors.Is(err, tools.ErrDenied) && cli.ExitStatus(err) != cli.NotFound {
			silent[store] = true
		}
		if err != nil {
			log.Notef("metrics: %s: %s", t.Job, cli.FirstLine(err.Error()))
		}
		lines = append(lines, s)
	}
	return append(lines, find.Directories([]*config.Config{c}, all, clock)...)
}
