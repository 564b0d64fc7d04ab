package check

import (
	"context"
	"fmt"
	"time"
)

const (
	short = 2 * time.Minute // for what answers at once, or after some tries
	long  = 5 * time.Minute // for databases, which may have many tables

	// patience is how long what was ended has to end by itself. The programs of a
	// chain take no longer.
	patience = 25 * time.Second
)

// within does something that may hang, such as a look at a file system of a server
// that is gone, and returns within its limit, or soon after ctx has ended. What does
// not heed its context is left alone then.
func within[T any](ctx context.Context, r *Ready, limit time.Duration, do func(context.Context) (T, error)) (T, error) {
	if r.limit > 0 {
		limit = r.limit
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do(ctx)
		done <- result{value, err}
	}()
	select {
	case got := <-done:
		return got.value, got.err
	case <-ctx.Done():
	}
	late := time.NewTimer(min(patience, limit))
	defer late.Stop()
	select {
	case got := <-done:
		return got.value, got.err
	case <-late.C:
		var none T
		return none, context.Cause(ctx)
	}
}

// tried is within for what returns nothing.
func tried(ctx context.Context, r *Ready, limit time.Duration, do func(context.Context) error) error {
	_, err := within(ctx, r, limit, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}
