package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

func statusCommand(std cli.Streams) *urfave.Command {
	return command(std, status, &urfave.Command{
		Name:      "status",
		Usage:     "tell whether every job has its backups",
		ArgsUsage: "[JOB...]",
		Description: "Prints for each job its last good backup and when the next is due. Exits 3 if a job\n" +
			"is overdue, was never backed up, or has a newest archive that cannot be restored.",
		Flags: []urfave.Flag{ownerFlag(), hostFlag(), jsonFlag()},
	})
}

// health says how a job stands.
type health string

const (
	healthy    health = "ok"
	dueNow     health = "due" // today, and not done yet
	overdue    health = "OVERDUE"
	neverDone  health = "NEVER"
	brokenLast health = "BROKEN"
	unchecked  health = "UNKNOWN"
)

// standing is a line of the status. It is part of the interface (--json).
type standing struct {
	Job    string `json:"job"`
	Source string `json:"source"`
	State  health `json:"state"`
	// Last is the date of the newest backup that can be restored.
	Last      string     `json:"last,omitempty"`
	Committed *time.Time `json:"committed,omitempty"` // of that backup, UTC
	Type      string     `json:"type,omitempty"`
	Bytes     int64      `json:"bytes,omitempty"`
	Archives  int        `json:"archives"` // how many can be restored
	Oldest    string     `json:"oldest,omitempty"`
	Next      string     `json:"next"` // date of the next due backup
	Reason    string     `json:"reason,omitempty"`
}

func status(c *urfave.Context, e *engine, configs []*config.Config) error {
	wanted, err := e.wantedTargets(c, configs)
	if err != nil {
		return err
	}
	var lines []standing
	for _, t := range wanted {
		if t.job == nil {
			return cli.Errorf(cli.NotFound, "job %q is not configured: it has no schedule to be judged by", t.name)
		}
		// That somebody else's backups are well must not be told of this host.
		w := e.wanted(t, choiceOf(c))
		w.Strict = true
		a, clock, err := e.archivesOf(c.Context, t, w)
		if c.Context.Err() != nil {
			return err
		}
		if err != nil {
			// One bucket that does not answer must not hide the others.
			cli.PrintError(e.std.Err, "napback", fmt.Errorf("%s: %w", t.job, err))
			lines = append(lines, standing{Job: t.name, Source: t.job.String(), State: unchecked,
				Next: nextDue(t.job.Settings.Schedule, e.Today).String(), Reason: cli.FirstLine(err.Error())})
			continue
		}
		s := judge(t.job.Settings.Schedule, backup.DateBy(e.Day, e.now(), clock).Today, a, e.checkedOn(t.job, a))
		s.Job, s.Source = t.name, t.job.String()
		if w := a.Warning(catalog.Point{Entry: catalog.Entry{Run: newestRun(a)}}); w != "" {
			e.log.Warnf("job %q: %s", t.name, oneLine(w))
		}
		lines = append(lines, s)
	}
	if c.Bool("json") {
		err = printJSON(e.std.Out, lines)
	} else {
		err = printStatus(e.std.Out, lines, e.now())
	}
	if err != nil {
		return err
	}
	is := func(states ...health) bool {
		return slices.ContainsFunc(lines, func(s standing) bool { return slices.Contains(states, s.State) })
	}
	switch {
	case is(unchecked):
		return cli.Exit(cli.Failed)
	case is(overdue, neverDone, brokenLast):
		return cli.Exit(cli.Warnings)
	}
	return nil
}

func newestRun(a catalog.Archives) string {
	newest := ""
	for _, r := range a.All {
		newest = max(newest, r.Run)
	}
	return newest
}

// checkedOn returns the date on which this host found nothing new since the
// job's newest archive, or "": no archive is stored then, and none is missing.
func (e *engine) checkedOn(job *config.Job, a catalog.Archives) string {
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil || len(a.All) == 0 {
		return ""
	}
	record, err := dir.Job(tools.StateKey(job, e.kit.Env)).Load()
	newest := a.All[len(a.All)-1]
	if err != nil || record.Checked == nil || record.Current == nil || record.Current.Run != newest.Run || record.Current.Name != newest.Name {
		return ""
	}
	return record.Checked.String()
}

// judge compares what there is with what the schedule asks for. A backup is
// overdue once its day is over; during the day it may still come. checked is a
// date on which there was nothing to store, or "".
func judge(schedule slot.Schedule, today slot.Date, a catalog.Archives, checked string) standing {
	s := standing{Next: nextDue(schedule, today).String()}
	points := a.Points()
	var last *catalog.Point // of the latest date
	for i := range points {
		p := &points[i]
		if p.Broken != nil {
			continue
		}
		s.Archives++
		if s.Oldest == "" || p.Date() < s.Oldest {
			s.Oldest = p.Date()
		}
		if last == nil || p.Date() >= last.Date() {
			last = p
		}
	}
	if last == nil {
		s.State, s.Reason = neverDone, "no archive can be restored"
		if len(points) > 0 {
			s.State, s.Reason = brokenLast, catalog.Newest(points).Broken.Error()
		}
		return s
	}
	committed := last.Committed.UTC()
	s.Last, s.Committed, s.Type, s.Bytes = last.Date(), &committed, last.Type(), last.Bytes
	done := max(doneUntil(points), checked)
	if due, ok := lastDue(schedule, today); ok && due == today && done >= today.String() {
		s.Next = nextDue(schedule, today.AddDays(1)).String() // today's is done
	}
	newest := catalog.Newest(points)
	missed, ok := lastDue(schedule, today.AddDays(-1))
	switch {
	case newest.Broken != nil:
		s.State, s.Reason = brokenLast, newest.Broken.Error()
	case ok && done < missed.String():
		s.State, s.Reason = overdue, fmt.Sprintf("there is no backup of %s or later", missed)
	case s.Next == today.String():
		s.State = dueNow
	default:
		s.State = healthy
	}
	return s
}

// doneUntil is the last day whose backup is there. One that bears a date later
// than the day after it was made stands for the day on which it was made.
func doneUntil(points []catalog.Point) string {
	done := ""
	for _, p := range points {
		if p.Broken != nil {
			continue
		}
		day := p.Date()
		if made := slot.Today(p.Began().Local()); !p.Began().IsZero() && day > made.AddDays(1).String() {
			day = made.String()
		}
		done = max(done, day)
	}
	return done
}

// maxDays bounds the search for a due day. It is more than any Frequency.
const maxDays = 1_000_001

// nextDue is the first due day from a day on.
func nextDue(schedule slot.Schedule, from slot.Date) slot.Date {
	for i := int64(0); i < maxDays; i++ {
		if _, due := schedule.Slot(from.AddDays(i)); due {
			return from.AddDays(i)
		}
	}
	return from
}

// lastDue is the last due day up to a day.
func lastDue(schedule slot.Schedule, until slot.Date) (slot.Date, bool) {
	for i := int64(0); i < maxDays; i++ {
		if _, due := schedule.Slot(until.AddDays(-i)); due {
			return until.AddDays(-i), true
		}
	}
	return slot.Date{}, false
}

func printStatus(w io.Writer, lines []standing, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "JOB\tSTATE\tLAST\tTYPE\tSIZE\tAGE\tRESTORABLE\tNEXT")
	for _, s := range lines {
		last, kind, size, old, kept := "-", "-", "-", "-", "-"
		if s.Committed != nil {
			last, kind, size, old = s.Last, s.Type, cli.FormatSize(s.Bytes), age(now.Sub(*s.Committed))
			kept = fmt.Sprintf("%d since %s", s.Archives, s.Oldest)
		}
		fmt.Fprintln(table, strings.Join([]string{oneLine(s.Job), string(s.State), oneLine(last), oneLine(kind), size, old, oneLine(kept), s.Next}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write stdout: %w", err)
	}
	for _, s := range lines {
		if s.Reason == "" {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: %s: %s\n", oneLine(s.Job), s.State, oneLine(s.Reason)); err != nil {
			return fmt.Errorf("write stdout: %w", err)
		}
	}
	return nil
}
