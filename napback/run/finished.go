package run

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/config"
	"napback/napback/hooks"
	"napback/napback/notify"
	"napback/napback/state"
	"napback/napback/tools"
)

// finishedTime bounds RunFinished.
const finishedTime = 5 * time.Minute

// finishedFormat is the format of what RunFinished reads. Fields may be added to it.
const finishedFormat = "napback-run/1"

// finishedRun is what RunFinished reads: see napback.conf(5). No secret is in it, nor
// anything that a terminal would obey.
type finishedRun struct {
	Format  string        `json:"format"`
	Version string        `json:"version"` // of napback
	Host    string        `json:"host"`
	Run     string        `json:"run"`
	Config  string        `json:"config"`
	Ending  string        `json:"ending"` // ok, warnings or failed
	Subject string        `json:"subject"`
	Summary string        `json:"summary"`
	Began   time.Time     `json:"began"`
	Seconds float64       `json:"seconds"`
	Counts  tally         `json:"counts"`
	Read    int64         `json:"read_bytes"`
	Stored  int64         `json:"stored_bytes"`
	Notes   []string      `json:"warnings"` // about no job
	Jobs    []finishedJob `json:"jobs"`
}

// finishedJob is one job of it.
type finishedJob struct {
	Job      string     `json:"job"`
	Kind     string     `json:"kind"`
	Source   string     `json:"source"`
	Outcome  string     `json:"outcome"` // as the summary has it
	Reason   string     `json:"reason"`
	Hints    []string   `json:"hints"`
	Archive  string     `json:"archive"`
	Type     slot.Type  `json:"type"`
	Slot     *int64     `json:"slot"`
	Date     slot.Date  `json:"date"`
	Read     int64      `json:"read_bytes"`
	Stored   int64      `json:"stored_bytes"`
	Seconds  float64    `json:"seconds"`
	LastGood *slot.Date `json:"last_good"`
}

// finished runs RunFinished.
func (p *report) finished(ctx context.Context, told notify.Report, took time.Duration) error {
	argv := p.config.Settings.RunFinished
	if len(argv) == 0 {
		return nil
	}
	text, err := json.Marshal(p.finishedRun(told, took))
	if err != nil {
		return err
	}
	var stdin bytes.Buffer
	if _, err := cli.SafeJSON(&stdin).Write(append(text, '\n')); err != nil {
		return err
	}
	facts := hooks.Facts{
		Run: p.run.id, Host: p.run.Host.Name, Slot: -1,
		State: map[notify.Ending]hooks.State{notify.OK: hooks.Success, notify.Warnings: hooks.Warning, notify.Failed: hooks.Failure}[told.Ending],
	}
	for i := range p.results {
		if r := &p.results[i]; r.err != nil && facts.Error == "" {
			facts.Error = r.job + ": " + r.why
		}
	}
	ctx, cancel := lastContext(ctx, finishedTime)
	defer cancel()
	h := hooks.Hook{Argv: argv, Facts: facts, Env: p.run.Host.Kit.Env, Stdin: stdin.Bytes(), Log: func(line string) {
		p.log.Stage(slog.LevelInfo, "RunFinished", cli.Safe(line))
	}}
	return h.Run(ctx)
}

// masked is foreign text as it can leave this machine.
func (p *report) masked(text string) string { return cli.Safe(p.run.redact.String(text)) }

func (p *report) finishedRun(told notify.Report, took time.Duration) finishedRun {
	path := p.config.Path
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	f := finishedRun{
		Format: finishedFormat, Version: cli.Version(), Host: told.Host, Run: told.Run, Config: p.masked(path),
		Ending: strings.ToLower(told.Ending.String()), Subject: p.masked(told.Subject()), Summary: told.Summary,
		Began: p.began.UTC().Truncate(time.Second), Seconds: seconds(took), Notes: orEmpty(p.warnings), Jobs: []finishedJob{},
	}
	f.Counts, f.Read, f.Stored = tallyOf(p.results)
	for i := range p.results {
		f.Jobs = append(f.Jobs, p.finishedJob(&p.results[i]))
	}
	return f
}

func (p *report) finishedJob(r *result) finishedJob {
	j := finishedJob{
		Job: p.masked(r.of.Name), Kind: r.of.Kind.Name, Source: p.masked(r.of.Source),
		Outcome: string(r.Outcome), Reason: r.why, Hints: orEmpty(r.hints), Date: r.today,
		Archive: r.Archive, Read: r.Read, Stored: r.Stored.Bytes, Seconds: seconds(r.duration), LastGood: r.lastGood,
	}
	if d := r.decision; d != nil {
		j.Type, j.Slot = d.Kind, &d.Slot.Number
	}
	return j
}

// orEmpty is a list that is not null in JSON.
func orEmpty(texts []string) []string { return append([]string{}, texts...) }

// lastGood is the day of a job's last success: by its account, or, from before there
// were accounts, by its newest archive. What cannot be read is not known: it is for
// people, and nothing is decided by it.
func (p *report) lastGood(job *config.Job) *slot.Date {
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil {
		return nil
	}
	of := dir.Job(tools.StateKey(job, p.run.Host.Kit.Env))
	if account, err := of.Account(); err == nil && account.Success != nil {
		if account.Success.Date != nil {
			return account.Success.Date
		}
		began := slot.Today(account.Success.Began.Local())
		return &began
	}
	if record, err := of.Load(); err == nil && record.Current != nil {
		return &record.Current.Date
	}
	return nil
}
