package archive

import (
	"context"
	"errors"
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
	var keys []string
	for n, ours := range p.ours {
		if ours {
			keys = append(keys, ChunkKey(p.Name, p.run, int64(n)))
		}
	}
	if p.summed {
		keys = append(keys, sumsKey(p.Name, p.run))
	}
	if len(keys) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	err := p.st.Delete(ctx, keys...)
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

// clean removes what the commit has made superfluous. The archive is safe
// already, so nothing here is an error.
func (p *put) clean(ctx context.Context) {
	err := p.cleanRuns(ctx)
	if errors.Is(err, ErrPermission) {
		p.Log.Notef("older runs of %q stay: these credentials may not list or delete", p.Name)
	} else if err != nil {
		p.Log.Notef("older runs of %q may be left behind: %v", p.Name, err)
	}
}

func (p *put) cleanRuns(ctx context.Context) error {
	own, committed, err := manifestEntry(ctx, p.st, p.Name, p.run)
	if err != nil || !committed {
		return err
	}
	runs, err := ListRuns(ctx, p.st, p.Name)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run == p.run {
			continue
		}
		// The age is told by the service's clock on both sides.
		remove, err := superfluous(ctx, p.st, p.Name, run, p.run, own.Modified.Add(-StaleAfter))
		if err != nil {
			return err
		}
		if remove {
			if err := RemoveRun(ctx, p.st, p.Name, run); err != nil {
				return err
			}
			p.Log.Verbosef("removed the superseded or incomplete run %s", run)
		}
	}
	return nil
}

// superfluous reports whether run is superseded by the committed run latest,
// or incomplete and without a new object since stale.
func superfluous(ctx context.Context, st Store, name string, run, latest Run, stale time.Time) (bool, error) {
	_, committed, err := manifestEntry(ctx, st, name, run)
	if err != nil || committed {
		return committed && run < latest, err
	}
	newest, err := NewestObject(ctx, st, name, run)
	return err == nil && newest.Before(stale), err
}
