package chain

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// defaultGrace is long enough for s3put to delete what it has uploaded.
const defaultGrace = 10 * time.Second

// supervise returns when every stage has been waited for.
func (r *running) supervise(ctx context.Context) {
	grace := cmp.Or(r.chain.Grace, defaultGrace)
	timer := time.NewTimer(grace)
	timer.Stop()
	defer timer.Stop()
	next := 0 // what the timer does next: 1 terminate, 2 kill
	if r.refused != nil {
		r.signalAll(terminate)
		timer.Reset(grace)
		next = 2
	}
	cancelled := ctx.Done()
	for r.done < len(r.procs) {
		select {
		case e := <-r.ended:
			r.done, r.status[e.i] = r.done+1, e.status
			if e.status.Failed && next == 0 {
				r.closeCommit()
				timer.Reset(grace)
				next = 1
			}
		case r.named = <-r.announce:
			r.hasName = true
		case err := <-r.fed:
			r.fed = nil
			if err != nil && r.status[0].Ended.IsZero() {
				r.breakOff(fmt.Errorf("input of %s: %w", r.chain.Stages[0].Name, err))
				r.signalAll(terminate)
				timer.Reset(grace)
				next = 2
			}
		case err := <-r.taken:
			r.taken = nil
			if err != nil {
				r.breakOff(err)
				timer.Reset(grace)
				next = max(next, 1)
			}
		case <-cancelled:
			cancelled = nil
			r.closeCommit()
			r.signalAll(terminate)
			timer.Reset(grace)
			next = 2
		case <-timer.C:
			if next == 1 {
				r.signalAll(terminate)
			} else {
				r.signalAll(kill)
			}
			timer.Reset(grace)
			next = 2
		}
		r.tryCommit(ctx)
	}
	r.leaveSink()
}

// leaveSink closes what only a committing sink has.
func (r *running) leaveSink() {
	r.closeCommit()
	if r.listen != nil {
		// A child of the sink may hold the other end for ever.
		_ = r.listen.SetReadDeadline(time.Now().Add(stderrDelay))
		r.listener.Wait()
		r.listen.Close()
	}
}

// tryCommit gives the sink its commit as soon as everything before it has
// succeeded and it has said what it stores.
func (r *running) tryCommit(ctx context.Context) {
	upstream := len(r.chain.Stages) - 1
	fed := r.fed == nil || upstream > 0 // else the first of them has taken what it needs
	if r.commit == nil || !r.hasName || r.refused != nil || ctx.Err() != nil || !fed || !r.upstreamDone(upstream) {
		return
	}
	extra, err := r.chain.Commit(r.named, r.status[:upstream])
	var line []byte
	if err == nil {
		line, err = json.Marshal(extra)
	}
	if err != nil {
		r.refused = fmt.Errorf("not committed: %w", err)
		r.closeCommit()
		return
	}
	// A sink that is gone makes this fail, and its own status tells why. One
	// write, so that there is never half a commit.
	_, _ = r.commit.Write([]byte("commit\n" + string(line) + "\n"))
	r.committed = true
	r.closeCommit()
}

// upstreamDone tells that the first n stages have ended and none has failed.
func (r *running) upstreamDone(n int) bool {
	return !slices.ContainsFunc(r.status[:n], func(s Status) bool { return s.Ended.IsZero() || s.Failed })
}

// closeCommit closes our end of the commit pipe. Without a commit written to
// it before, this tells the sink to store nothing.
func (r *running) closeCommit() {
	if r.commit != nil {
		r.commit.Close()
		r.commit = nil
	}
}
