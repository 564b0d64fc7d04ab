package store

import (
	"context"

	"golang.org/x/time/rate"
)

// limiter is the bandwidth limit of the whole process: one bucket of tokens
// for both directions and all connections. A nil limiter limits nothing.
type limiter struct {
	rate *rate.Limiter
	step int
}

// maxStep is the most that is read or written between two looks at the clock
// and at the context.
const maxStep = 256 << 10

// newLimiter limits to bytesPerSecond; 0 is no limit.
func newLimiter(bytesPerSecond int64) *limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	// A tenth of a second a step keeps a slow limit even.
	step := int(min(max(bytesPerSecond/10, 1), maxStep))
	return &limiter{rate.NewLimiter(rate.Limit(bytesPerSecond), step), step}
}

// clip returns how much of n bytes may be moved at once.
func (l *limiter) clip(n int) int {
	if l == nil {
		return min(n, maxStep)
	}
	return min(n, l.step)
}

// wait blocks until n bytes, at most what clip allows, may be moved.
func (l *limiter) wait(ctx context.Context, n int) error {
	if l == nil || n <= 0 {
		return ctx.Err()
	}
	return l.rate.WaitN(ctx, n)
}
