package archive

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
)

// StaleAfter is how long an incomplete run is left alone after its newest
// object: it may be an upload that waits for its server to come back.
const StaleAfter = 48 * time.Hour

// State is what a listing says of a run.
type State string

// The states of a run.
const (
	Committed  State = "committed"   // the newest committed run of its name and owner
	Superseded State = "superseded"  // committed, and a newer run of the owner is committed too
	Incomplete State = "incomplete"  // no manifest, or a claim in its place
	Unreadable State = "unreadable"  // there is a manifest, but it cannot be read
	Unsigned   State = "unsigned"    // there is a manifest, but none that the reader trusts: see Trusting
	Suspect    State = "implausible" // there is a manifest, but the run's time cannot be true: see Implausible
)

// RunInfo is a run and what is known of it.
type RunInfo struct {
	Name     string
	Run      Run
	State    State
	Manifest *Manifest // nil if the run is incomplete or cannot be read
	Modified time.Time // when the manifest was stored, by the store's clock; zero if that is not known
	Denied   bool      // there is a manifest, but the credentials may not read it
	SignedBy string    // the key that has signed the manifest; empty if that was not asked for
	Err      error     // why it is unreadable, unsigned or implausible
}

// Owner is who stored a run, "" if that is not known.
func (r RunInfo) Owner() string {
	if r.Manifest == nil {
		return ""
	}
	return r.Manifest.Owner
}

// afterForeign begins a listing of runs behind js3tream's chunk numbers,
// which begin with 0, so that these need not be walked.
const afterForeign = "1"

// Names yields the names of archives that begin with prefix, in order, as
// DescribeNames takes them. Listing costs requests in proportion to names, not to
// chunks.
func Names(st Store, prefix string) func(context.Context) iter.Seq2[string, error] {
	return func(ctx context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":"}) {
				if err != nil {
					yield("", err)
					return
				}
				name, isName := strings.CutSuffix(e.Key, ":")
				if e.IsPrefix && isName && CheckName(name) == nil && !yield(name, nil) {
					return
				}
			}
		}
	}
}

// MaxRuns is how many runs of one name are looked at. A name has some hundred;
// more have been planted, or a clean-up is missing.
const MaxRuns = 100_000

// ErrTooManyRuns: a name has more than MaxRuns runs, or as many other objects
// in their place.
var ErrTooManyRuns = fmt.Errorf("more than %d runs under one name", MaxRuns)

// ListRuns returns the runs of a name, committed or not, oldest first. If there
// are more than MaxRuns the error wraps ErrTooManyRuns, and the oldest ones are
// returned.
func ListRuns(ctx context.Context, st Store, name string) ([]Run, error) {
	return listRuns(ctx, st, name, MaxRuns)
}

// listRuns is ListRuns with a bound of the caller's.
func listRuns(ctx context.Context, st Store, name string, most int) ([]Run, error) {
	var runs []Run
	prefix := name + ":"
	entries := 0
	for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":", After: prefix + afterForeign}) {
		if err != nil {
			return nil, err
		}
		if entries++; entries > most {
			slices.Sort(runs)
			return runs, cli.WithHint(fmt.Errorf("archive %q: %w", name, ErrTooManyRuns),
				"s3rm removes them; BUCKET:NAME:RUN still reads a run that is known")
		}
		if !e.IsPrefix {
			continue
		}
		text := strings.TrimSuffix(strings.TrimPrefix(e.Key, prefix), ":")
		if run, err := ParseRun(text); err == nil {
			runs = append(runs, Run(strings.Clone(string(run)))) // not the key that it is a part of
		}
	}
	slices.Sort(runs)
	return runs, nil
}

// Exists tells whether anything of a run is stored.
func Exists(ctx context.Context, st Store, name string, run Run) (bool, error) {
	_, found, err := first(ctx, st, Query{Prefix: runPrefix(name, run)})
	return found, err
}

// first returns the first entry of a listing, if there is one.
func first(ctx context.Context, st Store, q Query) (e Entry, found bool, err error) {
	for e, err := range st.List(ctx, q) {
		return e, err == nil, err
	}
	return Entry{}, false, nil
}

// Newest returns the manifest of the newest committed run of a name whose time
// is plausible and that the reader trusts. The error wraps ErrNotExist if there
// is none, and has the code cli.NotFound. Each run that is passed over is
// reported, if report is not nil, and so is one that is read although it is
// not signed.
func Newest(ctx context.Context, st Store, name string, report func(RunInfo)) (*Manifest, error) {
	runs, err := ListRuns(ctx, st, name)
	if err != nil {
		return nil, err
	}
	if report == nil {
		report = func(RunInfo) {}
	}
	_, wanted := trustOf(st)
	passed := map[State]int{}
	var newest RunInfo
	err = backward(ctx, st, name, runs, inTurn, func(info RunInfo) error {
		passed[info.State]++
		switch {
		case info.State == Incomplete:
			return nil
		case info.State == Suspect, info.State == Unsigned:
			report(info)
			return nil
		case wanted && info.SignedBy == "" && info.Err == nil:
			report(info)
		}
		// One that cannot be read must not hide behind an older one.
		newest = info
		return errEnough
	})
	if err != nil {
		return nil, err
	}
	if newest.Name != "" {
		return newest.Manifest, newest.Err
	}
	switch err = cli.Errorf(cli.NotFound, "archive %q: %w", name, ErrNotExist); {
	case passed[Unsigned] > 0:
		return nil, cli.WithHint(err, "it has %d runs that are not signed by a wanted key; s3ls -r shows them, and --accept-unsigned reads those that nobody has signed", passed[Unsigned])
	case passed[Suspect] > 0:
		return nil, cli.WithHint(err, "it has %d runs whose time cannot be true; s3ls -r shows them, and NAME:RUN reads one", passed[Suspect])
	case passed[Incomplete] > 0:
		return nil, cli.WithHint(err, "it has %d incomplete runs, but none was ever committed; s3ls -r shows them", passed[Incomplete])
	case hasForeign(ctx, st, name):
		return nil, cli.WithHint(err, "there are chunks without a manifest, as js3tream stored them; --js3tream reads those")
	}
	return nil, cli.WithHint(err, "s3ls BUCKET lists the archives")
}

// hasForeign reports whether js3tream has stored an archive under name.
func hasForeign(ctx context.Context, st Store, name string) bool {
	for _, prefix := range []string{name + ":", "/" + name + ":"} {
		e, found, err := first(ctx, st, Query{Prefix: prefix, Delimiter: ":"}) // numbers come first
		if err != nil {
			return false
		}
		if _, ok := foreignNumber(prefix, e.Key); found && ok && !e.IsPrefix {
			return true
		}
	}
	return false
}

// manifestEntry looks for a run's manifest without reading it.
func manifestEntry(ctx context.Context, st Store, name string, run Run) (Entry, bool, error) {
	key := manifestKey(name, run)
	e, found, err := first(ctx, st, Query{Prefix: key}) // of the keys that begin so it comes first
	return e, found && e.Key == key, err
}
