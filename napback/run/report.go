package run

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/journal"
	"napback/napback/notify"
)

// report is what tells of the run of one configuration: its log, its channels, and its
// RunFinished. None of them can fail a backup.
type report struct {
	run      *Run
	config   *config.Config
	log      *journal.Journal
	channels []notify.Channel
	closer   func() error
	locked   bool // another napback is running, and the log is that one's
	left     left
	began    time.Time
	results  []result
	warnings []string // about no job
	causes   causes
}

func (r *Run) newReport(c *config.Config, locked bool) *report {
	p := &report{run: r, config: c, log: r.log, closer: func() error { return nil }, locked: locked, left: left{}, began: r.Host.Now(), causes: causes{}}
	if !locked {
		log, closer, err := journal.Open(c, journal.Options{Stderr: r.Std.Err, Debug: r.Debug, Run: r.id, Secrets: r.secrets})
		if err == nil {
			p.log, p.closer = log, closer
		} else {
			p.warn(fmt.Sprintf("there is no log: %v", err))
		}
	}
	var err error
	if p.channels, err = notify.Open(c.Settings.Notify, nil, r.redact.String); err != nil {
		p.warn(fmt.Sprintf("nobody is told about the run: %v", err))
	}
	return p
}

// warn warns of something that is about no job.
func (p *report) warn(text string) {
	p.warnings = append(p.warnings, text)
	p.log.Warnf("%s", text)
}

func (p *report) close() {
	if err := p.closer(); err != nil {
		fmt.Fprintf(p.run.Std.Err, "napback: warning: %s\n", cli.Safe(err.Error()))
	}
}

// begin tells that the run begins.
func (p *report) begin(ctx context.Context) {
	p.log.Record(slog.LevelInfo, "napback begins", "file", p.config.Path)
	p.log.Notes(p.config)
	for _, c := range p.channels {
		warnOf(p.log, c, c.Start(ctx))
	}
}

// nothing makes all jobs fail because of what kept them from being started.
func (p *report) nothing(err error) {
	p.log.Record(slog.LevelError, err.Error())
	for i := range p.config.Jobs {
		job := &p.config.Jobs[i]
		p.results = append(p.results, result{
			Result: backup.Result{Outcome: failed}, job: job.String(), of: job, today: p.run.Day.Today,
			err: err, trouble: "nothing was started",
		})
	}
}

// ending is the worst of the jobs' endings, and how many there are of it. Warnings that
// are about no job count too.
func (p *report) ending() (worst notify.Ending, count int) {
	worst, count = ending(p.results)
	if len(p.warnings) > 0 && worst < notify.Warnings {
		return notify.Warnings, 0
	}
	return worst, count
}

// finish tells how the run has ended.
func (p *report) finish(ctx context.Context) {
	if !p.locked { // the metrics are that one's
		p.run.writeMetrics(ctx, p.log, p.config, p.left)
	}
	p.causes.tell(p.log)
	if why := p.log.Failed(); why != "" { // which was told on stderr when it happened
		p.warnings = append(p.warnings, why+"; lines of the log are on standard error")
	}
	for i, warning := range p.warnings {
		p.warnings[i] = p.masked(warning)
	}
	for i := range p.results {
		p.results[i].lastGood = p.lastGood(p.results[i].of)
		p.results[i].describe(p.run.redact.String)
	}
	worst, count := p.ending()
	took := p.run.Host.Now().Sub(p.began)
	var summary strings.Builder
	_ = printSummary(&summary, p.results, p.warnings, took) // strings.Builder takes everything
	told := notify.Report{
		Host: p.run.Host.Name, Run: p.run.id, Ending: worst, Count: count, Jobs: len(p.results),
		Summary: summary.String(), Failures: failures(p.results), Locked: p.locked,
	}
	p.tell(ctx, told)
	if err := p.finished(ctx, told, took); err != nil {
		p.log.Warnf("RunFinished: %v", err)
	}
	p.log.Record(slog.LevelInfo, "napback ends", "verdict", worst.String(), "jobs", len(p.results), "seconds", seconds(took))
}

// tell tells the channels.
func (p *report) tell(ctx context.Context, r notify.Report) {
	ctx, cancel := lastContext(ctx, 2*time.Minute)
	defer cancel()
	for _, c := range p.channels {
		warnOf(p.log, c, c.Finish(ctx, r))
	}
}

// causes are the troubles of stores that people have read of, and the jobs that had
// them: a bucket that is missing is one error, whatever the number of its jobs. Each
// of them is tried all the same, as a store that was down for a moment may be back.
type causes map[string][]string

// meets notes the error of a job, for people only if they have not read it.
func (c causes) meets(log *journal.Journal, job, trouble string, err error) {
	if trouble != "" {
		c[trouble] = append(c[trouble], job)
	}
	if len(c[trouble]) > 1 {
		log.Again(err)
		return
	}
	log.Error(err)
}

// tell names the jobs whose errors people have not read.
func (c causes) tell(log *journal.Journal) {
	for _, trouble := range slices.Sorted(maps.Keys(c)) {
		jobs := c[trouble]
		if more := jobs[1:]; len(more) > 0 {
			log.Error(fmt.Errorf("%s failed for the same reason as %s: %s",
				cli.Plural(len(more), "more job", "more jobs"), jobs[0], strings.Join(more, ", ")))
		}
	}
}

// warnOf warns of a channel that failed, which changes nothing about the backup.
func warnOf(log *journal.Journal, c notify.Channel, err error) {
	if err == nil {
		return
	}
	log.Warnf("%s did not go out: %s", c.Name(), err)
	for _, hint := range hintsOf(err) {
		log.Hintf("%s", hint)
	}
}
