package archive

import (
	"context"
	"errors"
	"iter"
	"slices"
)

const (
	// fewRuns is how many runs a name may have to be looked at beside others.
	fewRuns = 1000
	// maxHeld is about how many bytes a Survey holds of manifests. What does
	// not fit is read once more when it is asked for.
	maxHeld = 1 << 20
	// inTurn is how many runs are read one by one, because one of the newest
	// is nearly always what is wanted; those behind are read several at a time.
	inTurn = 32
	// readers is how many runs of a name are read at the same time.
	readers = 16
)

// Survey is what is known of the runs of a name. It takes a bounded amount of
// memory, whatever a bucket holds.
type Survey struct {
	Name string
	// Err wraps ErrTooManyRuns if there are more than MaxRuns: then Runs
	// yields the oldest of them, and none is known to be superseded.
	Err error

	st    Store
	found []found // oldest first
	held  int     // bytes
}

// found is a run of a Survey.
type found struct {
	run   Run
	state State    // "" if it was not read yet
	info  *RunInfo // nil if it has to be read again
}

// Runs yields the runs, oldest first.
func (s *Survey) Runs(ctx context.Context) iter.Seq2[RunInfo, error] {
	return func(yield func(RunInfo, error) bool) {
		for _, f := range s.found {
			if f.info != nil {
				if !yield(*f.info, nil) {
					return
				}
				continue
			}
			info, err := DescribeRun(ctx, s.st, s.Name, f.run)
			if info.State == Committed && f.state == Superseded {
				info.State = Superseded
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// add puts a run before those that are there.
func (s *Survey) add(info RunInfo) {
	f := found{run: info.Run, state: info.State}
	if cost := weight(info); s.held+cost <= maxHeld {
		s.held += cost
		f.info = &info
	}
	s.found = append(s.found, f)
}

// weight is about how many bytes a RunInfo takes.
func weight(info RunInfo) int {
	n := 256 + len(info.SignedBy)
	if info.Err != nil {
		n += 2 * len(info.Err.Error())
	}
	if m := info.Manifest; m != nil {
		n += 512 + len(m.Format) + len(m.Host) + len(m.Tool) + len(m.Sums) + len(m.Tag) + len(m.Recover)
		for key, value := range m.Meta {
			n += 128 + len(key) + len(value)
		}
	}
	return n
}

// DescribeName returns what is known of the runs of a name: all of them, or
// only the newest committed one (and, if there is none, the newest of all) with
// the newer ones whose time is not plausible or that the reader does not trust.
func DescribeName(ctx context.Context, st Store, name string, all bool) (*Survey, error) {
	return survey(ctx, st, name, all, MaxRuns)
}

func survey(ctx context.Context, st Store, name string, all bool, most int) (*Survey, error) {
	s := &Survey{Name: name, st: st}
	runs, err := listRuns(ctx, st, name, most)
	if errors.Is(err, ErrTooManyRuns) {
		s.Err = err
		for _, run := range runs {
			s.found = append(s.found, found{run: run})
		}
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	var newest *RunInfo            // incomplete, and shown only if there is nothing better
	committed := map[string]bool{} // owners with a newer run
	alone := inTurn
	if all && most > fewRuns {
		alone = 0
	} else if all {
		alone = len(runs) // other names are looked at meanwhile
	}
	err = backward(ctx, st, name, runs, alone, func(info RunInfo) error {
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
			return nil
		}
		s.add(info)
		if !all && info.State != Suspect && info.State != Unsigned {
			return errEnough
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(s.found) == 0 && newest != nil {
		s.add(*newest)
	}
	slices.Reverse(s.found)
	return s, nil
}

// DescribeNames calls emit with DescribeName of each name, in their order,
// several at a time. A name of many runs waits for its turn, so that not
// several of them are held.
func DescribeNames(ctx context.Context, st Store, names func(context.Context) iter.Seq2[string, error], all bool, n int, emit func(*Survey) error) error {
	return InOrder(ctx, n, names,
		func(ctx context.Context, name string) (*Survey, error) {
			s, err := survey(ctx, st, name, all, fewRuns)
			if err == nil && s.Err != nil {
				s.found = nil
			}
			return s, err
		},
		func(s *Survey) error {
			if s.Err == nil {
				return emit(s)
			}
			s, err := DescribeName(ctx, st, s.Name, all)
			if err != nil {
				return err
			}
			return emit(s)
		})
}

// errEnough ends backward.
var errEnough = errors.New("enough")

// backward describes runs from the newest to the oldest until visit returns an
// error; errEnough is none. The first alone of them are read one by one.
func backward(ctx context.Context, st Store, name string, runs []Run, alone int, visit func(RunInfo) error) error {
	rest := len(runs)
	for ; rest > 0 && alone > 0; alone-- {
		rest--
		info, err := DescribeRun(ctx, st, name, runs[rest])
		if err == nil {
			err = visit(info)
		}
		if errors.Is(err, errEnough) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	older := slices.Clone(runs[:rest])
	slices.Reverse(older)
	err := InOrder(ctx, readers, Each(older...),
		func(ctx context.Context, run Run) (RunInfo, error) { return DescribeRun(ctx, st, name, run) }, visit)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}
