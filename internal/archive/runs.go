package archive

import (
	"context"
	"errors"
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
	Committed  State = "committed"  // the newest committed run of its name
	Superseded State = "superseded" // committed, and a newer run is committed too
	Incomplete State = "incomplete" // no manifest
	Unreadable State = "unreadable" // there is a manifest, but it cannot be read
)

// RunInfo is a run and what is known of it.
type RunInfo struct {
	Name     string
	Run      Run
	State    State
	Manifest *Manifest // nil if the run is incomplete or unreadable
	Err      error     // why it is unreadable
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

// Newest returns the manifest of the newest committed run of a name. The
// error wraps ErrNotExist if there is none, and has the code cli.NotFound.
func Newest(ctx context.Context, st Store, name string) (*Manifest, error) {
	runs, err := ListRuns(ctx, st, name)
	if err != nil {
		return nil, err
	}
	for _, run := range slices.Backward(runs) {
		m, err := ReadManifest(ctx, st, name, run)
		if !errors.Is(err, ErrNotExist) {
			return m, err
		}
	}
	switch err = cli.Errorf(cli.NotFound, "archive %q: %w", name, ErrNotExist); {
	case len(runs) > 0:
		return nil, cli.WithHint(err, "it has %d incomplete runs, but none was ever committed; s3ls -r shows them", len(runs))
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

// DescribeRun reads the manifest of a run. The state of a run that has one is
// Committed; only a look at the name's other runs tells whether it is
// superseded.
func DescribeRun(ctx context.Context, st Store, name string, run Run) (RunInfo, error) {
	info := RunInfo{Name: name, Run: run, State: Committed}
	m, err := ReadManifest(ctx, st, name, run)
	switch {
	case err == nil:
		info.Manifest = m
		return info, nil
	case errors.Is(err, ErrNotExist):
		info.State = Incomplete
		return info, nil
	case errors.Is(err, ErrPermission):
		// Credentials that may list but not read still tell what is there.
		_, committed, listErr := manifestEntry(ctx, st, name, run)
		if listErr != nil {
			return info, err
		}
		info.State = Incomplete
		if committed {
			info.State, info.Err = Unreadable, err
		}
		return info, nil
	case cli.ExitStatus(err) == cli.Integrity || errors.Is(err, errFormat):
		info.State, info.Err = Unreadable, err
		return info, nil
	}
	return info, err
}

// DescribeName returns what is known of the runs of a name, oldest first:
// all of them, or only the newest committed one (and, if there is none, the
// newest of all).
func DescribeName(ctx context.Context, st Store, name string, all bool) ([]RunInfo, error) {
	runs, err := ListRuns(ctx, st, name)
	if err != nil {
		return nil, err
	}
	var infos []RunInfo // newest first
	found := false
	for _, run := range slices.Backward(runs) {
		info, err := DescribeRun(ctx, st, name, run)
		if err != nil {
			return nil, err
		}
		if info.State == Committed {
			if found {
				info.State = Superseded
			}
			found = true
		}
		if all {
			infos = append(infos, info)
			continue
		}
		if len(infos) == 0 || info.State != Incomplete {
			infos = []RunInfo{info}
		}
		if info.State != Incomplete {
			break
		}
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

// NewestObject tells when the newest object of a run was stored, by the
// service's clock.
func NewestObject(ctx context.Context, st Store, name string, run Run) (time.Time, error) {
	var newest time.Time
	for e, err := range st.List(ctx, Query{Prefix: runPrefix(name, run)}) {
		if err != nil {
			return time.Time{}, err
		}
		if e.Modified.After(newest) {
			newest = e.Modified
		}
	}
	return newest, nil
}

// RemoveRun removes a run, its manifest first: what is left by an
// interruption is an incomplete run, never a damaged archive.
func RemoveRun(ctx context.Context, st Store, name string, run Run) error {
	if err := st.Delete(ctx, manifestKey(name, run)); err != nil {
		return err
	}
	var keys []string
	for e, err := range st.List(ctx, Query{Prefix: runPrefix(name, run)}) {
		if err != nil {
			return err
		}
		keys = append(keys, e.Key)
	}
	if err := st.Delete(ctx, keys...); err != nil {
		return fmt.Errorf("archive %q: the manifest of run %s is removed, some chunks are left: %w", name, run, err)
	}
	return nil
}
