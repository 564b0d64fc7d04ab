package archive

import (
	"context"
	"errors"
	"iter"
	"time"
)

// cleanupTime bounds how long a failed or interrupted put goes on to remove
// what it has stored.
const cleanupTime = 10 * time.Second

// lateUploads are the waits between looks for objects of uploads that were
// cut short: the service may store what it has received after it was deleted.
var lateUploads = [...]time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond}

// abandon removes what an uncommitted run has stored, also when ctx has
// ended. An object that somebody else has stored under a key of this run,
// however unlikely, is not touched.
func (p *put) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	var err error
	for keys := range p.stored() {
		err = errors.Join(err, p.st.Delete(ctx, keys...))
	}
	for _, wait := range lateUploads {
		if err != nil || len(p.cut) == 0 || p.Pretend {
			break
		}
		time.Sleep(wait)
		err = p.st.Delete(ctx, p.cut...)
	}
	if err != nil {
		p.Log.Notef("the chunks of the run %s that was not committed are left behind: %v", p.run, err)
	}
}

// stored yields the keys of what this put has, or may have, stored, some at a
// time.
func (p *put) stored() iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		var keys []string
		for n, ours := range p.ours {
			if ours {
				keys = append(keys, ChunkKey(p.Name, p.run, int64(n)))
			}
			if len(keys) == removeBatch {
				if !yield(keys) {
					return
				}
				keys = nil
			}
		}
		if p.summed {
			keys = append(keys, sumsKey(p.Name, p.run))
		}
		if p.signed {
			keys = append(keys, signatureOf(manifestKey(p.Name, p.run)))
		}
		if len(keys) > 0 {
			yield(keys)
		}
	}
}

// clean removes what the commit has made superfluous: of the runs that were
// there before the upload, those that are superseded by this one, and what was
// never committed. The archive is safe already, so nothing here is an error.
func (p *put) clean(ctx context.Context) {
	if p.flooded {
		return // that has been said
	}
	if p.blind {
		if !p.Keep {
			p.Log.Notef("older runs of %q stay: these credentials may not list or delete", p.Name)
		}
		return
	}
	unreadable, unsigned := 0, 0
	err := InOrder(ctx, max(p.Budget.Concurrency, 1), Each(p.seen...),
		func(ctx context.Context, run Run) (RunInfo, error) { return DescribeRun(ctx, p.st, p.Name, run) },
		func(info RunInfo) error {
			switch info.State {
			case Unreadable:
				unreadable++
			case Unsigned:
				unsigned++
			}
			return p.cleanRun(ctx, info)
		})
	if unreadable > 0 && !p.Keep {
		p.Log.Notef("older runs of %q stay, because their manifests cannot be read: %d", p.Name, unreadable)
	}
	if unsigned > 0 {
		p.Log.Notef("runs of %q stay and are ignored, because they are not signed by a wanted key: %d", p.Name, unsigned)
	}
	if errors.Is(err, ErrPermission) {
		p.Log.Notef("older runs of %q stay: these credentials may not list or delete", p.Name)
	} else if err != nil {
		p.Log.Notef("older runs of %q may be left behind: %v", p.Name, err)
	}
}

// cleanRun removes a run if it is superfluous.
func (p *put) cleanRun(ctx context.Context, info RunInfo) error {
	switch {
	case info.State == Suspect:
		p.Log.Warnf("the run %s of %q stays and is ignored: %v", info.Run, p.Name, info.Err)
	case info.State == Committed && !p.Keep && info.Run < p.run && info.Owner() == p.Owner:
		if err := RemoveRun(ctx, p.st, p.Name, info.Run); err != nil {
			return err
		}
		p.Log.Verbosef("removed the superseded run %s", info.Run)
	case info.State == Incomplete:
		newest, err := NewestObject(ctx, p.st, p.Name, info.Run)
		if err != nil || Now(p.st).Sub(newest) < StaleAfter {
			return err
		}
		err = RemoveIncomplete(ctx, p.st, p.Name, info.Run)
		if errors.Is(err, ErrCommitted) {
			return nil
		}
		if err != nil {
			return err
		}
		p.Log.Verbosef("removed the incomplete run %s", info.Run)
	}
	return nil
}
