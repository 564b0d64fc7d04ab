package archive

import (
	"context"
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

// Names yields the names of archives that begin with prefix, in order.
// Listing costs requests in proportion to names, not to chunks.
func Names(ctx context.Context, st Store, prefix string) iter.Seq2[string, error] {
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

// ListRuns returns the runs of a name, committed or not, oldest first.
func ListRuns(ctx context.Context, st Store, name string) ([]Run, error) {
	var runs []Run
	prefix := name + ":"
	for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":", After: prefix + afterForeign}) {
		if err != nil {
			return nil, err
		}
		if !e.IsPrefix {
			continue
		}
		text := strings.TrimSuffix(strings.TrimPrefix(e.Key, prefix), ":")
		if run, err := ParseRun(text); err == nil {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	return runs, nil
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
	incomplete, suspect, unsigned := 0, 0, 0
	for _, run := range slices.Backward(runs) {
		info, err := DescribeRun(ctx, st, name, run)
		switch {
		case err != nil:
			return nil, err
		case info.State == Incomplete:
			incomplete++
		case info.State == Suspect:
			suspect++
			report(info)
		case info.State == Unsigned:
			unsigned++
			report(info)
		default:
			if wanted && info.SignedBy == "" && info.Err == nil {
				report(info)
			}
			// One that cannot be read must not hide behind an older one.
			return info.Manifest, info.Err
		}
	}
	switch err = cli.Errorf(cli.NotFound, "archive %q: %w", name, ErrNotExist); {
	case unsigned > 0:
		return nil, cli.WithHint(err, "it has %d runs that are not signed by a wanted key; s3ls -r shows them, and --accept-unsigned reads those that nobody has signed", unsigned)
	case suspect > 0:
		return nil, cli.WithHint(err, "it has %d runs whose time cannot be true; s3ls -r shows them, and NAME:RUN reads one", suspect)
	case incomplete > 0:
		return nil, cli.WithHint(err, "it has %d incomplete runs, but none was ever committed; s3ls -r shows them", incomplete)
	case hasForeign(ctx, st, name):
		return nil, cli.WithHint(err, "there are chunks without a manifest, as js3tream stored them; --js3tream reads those")
	}
	return nil, cli.WithHint(err, "s3ls BUCKET lists the archives")
}

// hasForeign reports whether js3tream has stored an archive under name.
func hasForeign(ctx context.Context, st Store, name string) bool {
	for _, prefix := range []string{name + ":", "/" + name + ":"} {
		for e, err := range st.List(ctx, Query{Prefix: prefix, Delimiter: ":"}) {
			if err != nil {
				return false
			}
			if _, ok := foreignNumber(prefix, e.Key); ok && !e.IsPrefix {
				return true
			}
			break // numbers come first
		}
	}
	return false
}

// DescribeName returns what is known of the runs of a name, oldest first: all
// of them, or only the newest committed one (and, if there is none, the newest
// of all) with the newer ones whose time is not plausible or that the reader
// does not trust.
func DescribeName(ctx context.Context, st Store, name string, all bool) ([]RunInfo, error) {
	runs, err := ListRuns(ctx, st, name)
	if err != nil {
		return nil, err
	}
	var infos []RunInfo            // newest first
	var newest *RunInfo            // incomplete, and shown only if there is nothing better
	committed := map[string]bool{} // owners with a newer run
	for _, run := range slices.Backward(runs) {
		info, err := DescribeRun(ctx, st, name, run)
		if err != nil {
			return nil, err
		}
		if info.State == Committed {
			if committed[info.Owner()] {
				info.State = Superseded
			}
			committed[info.Owner()] = true
		}
		if !all && info.State == Incomplete {
			if newest == nil {
				newest = &info
			}
			continue
		}
		infos = append(infos, info)
		if !all && info.State != Suspect && info.State != Unsigned {
			break
		}
	}
	if len(infos) == 0 && newest != nil {
		infos = append(infos, *newest)
	}
	slices.Reverse(infos)
	return infos, nil
}

// manifestEntry looks for a run's manifest without reading it.
func manifestEntry(ctx context.Context, st Store, name string, run Run) (Entry, bool, error) {
	key := manifestKey(name, run)
	for e, err := range st.List(ctx, Query{Prefix: key}) {
		if err != nil {
			return Entry{}, false, err
		}
		if e.Key == key {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}
