package chain

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Status is how a stage ended.
type Status struct {
	Stage  string
	Code   int    // its exit status; -1 if a signal ended it
	Signal string // the signal that ended it, as in SIGKILL, or ""
	Failed bool   // it did not do its work
	// Stderr is the end of what it wrote there, oldest line first.
	Stderr []string
	// Ended is when its end was noticed.
	Ended time.Time
}

// String is the stage and its exit status: "tar 0", "tar SIGKILL".
func (s Status) String() string {
	if s.Signal != "" {
		return s.Stage + " " + s.Signal
	}
	return fmt.Sprintf("%s %d", s.Stage, s.Code)
}

// Summary lists the exit statuses: "tar 0, zstd 0, pgpipe 0".
func Summary(all []Status) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}

// notCommitted is the exit status of a sink that was given no commit.
const notCommitted = 6

// sigpipeShell is the exit status with which a shell, or a program that
// imitates one, tells that SIGPIPE ended its child.
const sigpipeShell = 128 + 13

// lostReader tells that a stage failed only because nobody read its output any
// more. Programs that ignore SIGPIPE say so in words.
func (s Status) lostReader() bool {
	if s.Signal == "SIGPIPE" || s.Code == sigpipeShell {
		return true
	}
	return slices.ContainsFunc(s.Stderr, brokenPipe.MatchString)
}

var brokenPipe = regexp.MustCompile(`(?i)broken pipe|epipe|errno 32`)

// Error tells which stage made the chain fail.
type Error struct {
	Cause Status   // the first stage that failed on its own account
	All   []Status // every stage, in the order of the chain
}

// LostReader tells that stages failed only because nobody reads what they write.
func (e *Error) LostReader() bool { return e.Cause.lostReader() }

// Error is the cause, in one line: the error that it printed, or how it ended and the
// last thing it said.
func (e *Error) Error() string {
	how := fmt.Sprintf("exit status %d", e.Cause.Code)
	if e.Cause.Signal != "" {
		how = "killed by " + e.Cause.Signal
	} else if said := e.Cause.Said(); said != "" {
		return e.Cause.Stage + ": " + said
	}
	if said := e.Cause.LastLine(); said != "" {
		how += ": " + said
	}
	return e.Cause.Stage + ": " + how
}

// LastLine is the last line that is not blank of what the stage wrote on
// stderr, or, where it printed errors as our tools do, the last error, without
// the tool's name.
func (s Status) LastLine() string {
	if said := s.Said(); said != "" {
		return said
	}
	last := ""
	for _, line := range slices.Backward(s.Stderr) {
		line = strings.TrimSpace(line)
		if last == "" {
			last = line
		}
	}
	return strings.TrimPrefix(last, s.Stage+": ")
}

// Said is the last error that the stage printed as our tools do, without the tool's
// name, or "".
func (s Status) Said() string {
	for _, line := range slices.Backward(s.Stderr) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), s.Stage+": error: "); ok {
			return said
		}
	}
	return ""
}

// sameTime is the span within which the order of two ends is not known: the
// kernel closes the pipes of a process before its parent learns of its end, so
// the consequence may be seen before the cause.
const sameTime = 100 * time.Millisecond

// failure finds the cause among the stages that failed: the earliest of those
// that failed on their own account. Of failures at about the same time the one
// farthest upstream counts, since a stage that dies early cuts the input of
// those after it. If all of them only lost their reader, the last one is named;
// a sink that says that it got no commit is named only if nobody else failed.
func (r *running) failure() *Error {
	own, lost := r.failures()
	if len(own) > 0 {
		first := slices.MinFunc(own, func(a, b Status) int { return cmp.Compare(a.Ended.UnixNano(), b.Ended.UnixNano()) })
		for _, s := range own {
			if s.Ended.Sub(first.Ended) <= sameTime {
				return &Error{Cause: s, All: r.status}
			}
		}
	}
	if len(lost) > 0 {
		return &Error{Cause: lost[len(lost)-1], All: r.status}
	}
	return nil
}

// failures tells the stages that failed on their own account from those that only
// lost their reader or got no commit.
func (r *running) failures() (own, lost []Status) {
	for i, s := range r.status {
		switch {
		case !s.Failed:
		case s.lostReader():
			lost = append(lost, s)
		case s.Code == notCommitted && r.chain.Commit != nil && !r.committed && i == len(r.chain.Stages)-1:
			lost = append([]Status{s}, lost...)
		default:
			own = append(own, s)
		}
	}
	return own, lost
}
