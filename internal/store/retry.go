package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"napback/internal/cli"
)

// maxBackoff is the longest wait between two tries of one round.
const maxBackoff = 30 * time.Second

// policy is the only retry policy. Every request of both stores goes through
// it.
type policy struct {
	attempts int
	neverDie bool
	wait     time.Duration
	backoff  time.Duration
	log      *cli.Log
}

// request names what is tried, for messages: `put object "k"`.
type request struct {
	verb    string
	subject string
}

func (r request) String() string {
	if r.subject == "" {
		return r.verb
	}
	return fmt.Sprintf("%s %q", r.verb, r.subject)
}

// failed is the error of a request that ended for cause. A cause that names
// the same bucket stands alone.
func (r request) failed(cause error) error {
	if strings.HasSuffix(r.verb, " bucket") && strings.HasPrefix(cause.Error(), fmt.Sprintf("bucket %q: ", r.subject)) {
		return cause
	}
	return fmt.Errorf("%v: %w", r, cause)
}

// failure is why a try failed: a cause made for people, and what the policy
// has to know about it.
type failure struct {
	cause error
	// retryable: the same request may succeed later.
	retryable bool
	// ambiguous: the service may have done what was asked, and only the
	// answer was lost.
	ambiguous bool
	// renew, if not nil, fetches new credentials. It is tried once per request.
	renew func()
}

// do calls try until it succeeds, fails for good, or ctx ends. The error that
// it returns is final and ready to be shown.
func (p *policy) do(ctx context.Context, r request, try func(ctx context.Context) *failure) error {
	t := p.start(r)
	for {
		if err := ctx.Err(); err != nil {
			return r.failed(err)
		}
		f := try(ctx)
		if f == nil {
			return nil
		}
		if err := t.next(ctx, f); err != nil {
			return err
		}
	}
}

// tries counts the tries of one request.
type tries struct {
	policy  *policy
	request request
	failed  int
	renewed bool
}

func (p *policy) start(r request) *tries { return &tries{policy: p, request: r} }

// progress forgets the tries that failed, because bytes have moved since.
func (t *tries) progress() { t.failed, t.renewed = 0, false }

// next takes note of a failed try. It returns nil when it is time to try
// again, else the error to end with.
func (t *tries) next(ctx context.Context, f *failure) error {
	if err := ctx.Err(); err != nil {
		return t.request.failed(err)
	}
	if f.renew != nil && !t.renewed {
		t.renewed = true
		f.renew()
		return nil
	}
	if !f.retryable {
		return t.request.failed(f.cause)
	}
	t.failed++
	p := t.policy
	if t.failed < p.attempts {
		pause := p.pause(t.failed)
		p.log.Verbosef("%v: %v; trying again in %v (try %d of %d)",
			t.request, f.cause, pause.Round(time.Millisecond), t.failed+1, p.attempts)
		return t.sleep(ctx, pause)
	}
	if p.neverDie {
		p.log.Warnf("%v: %v; %s, going on in %v", t.request, f.cause, tried(p.attempts), p.wait)
		t.progress()
		return t.sleep(ctx, p.wait)
	}
	return fmt.Errorf("%w (%s)", t.request.failed(f.cause), tried(p.attempts))
}

func tried(n int) string {
	if n == 1 {
		return "tried once"
	}
	return fmt.Sprintf("tried %d times", n)
}

// pause is the wait after so many failed tries: exponential backoff with full
// jitter, so that parallel workers do not come back all at once.
func (p *policy) pause(failed int) time.Duration {
	ceiling := min(p.backoff<<min(failed-1, 10), maxBackoff)
	return rand.N(ceiling + 1)
}

// sleep waits, or returns an error at once when ctx ends before.
func (t *tries) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return t.request.failed(ctx.Err())
	}
}
