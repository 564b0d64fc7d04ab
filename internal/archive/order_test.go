package archive

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
)

func count(n int) func(context.Context) iter.Seq2[int, error] {
	return func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}

func TestInOrderKeepsTheOrderAndRunsInParallel(t *testing.T) {
	var running, most atomic.Int64
	next := 0
	done := make([]chan struct{}, 200)
	for i := range done {
		done[i] = make(chan struct{})
	}
	err := InOrder(t.Context(), 4, count(200), func(_ context.Context, i int) (int, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		if i%2 == 0 {
			<-done[i+1] // which another worker does meanwhile
		}
		close(done[i])
		return i, nil
	}, func(i int) error {
		if i != next {
			t.Errorf("got %d, want %d", i, next)
		}
		next++
		return nil
	})
	if err != nil || next != 200 {
		t.Fatalf("%d results, %v", next, err)
	}
	if most.Load() < 2 || most.Load() > 4 {
		t.Errorf("at most %d at a time; want 2 to 4", most.Load())
	}
}

func TestInOrderEndsAtTheFirstError(t *testing.T) {
	boom := errors.New("boom")
	work := func(ctx context.Context, i int) (int, error) {
		if i > 5 { // the others wait until they are told to end
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return i, nil
	}
	fine := func(int) error { return nil }
	for name, run := range map[string]func() error{
		"work": func() error {
			return InOrder(t.Context(), 3, count(100), func(ctx context.Context, i int) (int, error) {
				if i == 5 {
					return 0, boom
				}
				return work(ctx, i)
			}, fine)
		},
		"emit": func() error {
			return InOrder(t.Context(), 3, count(100), work, func(i int) error {
				if i == 2 {
					return boom
				}
				return nil
			})
		},
		"sequence": func() error {
			return InOrder(t.Context(), 3, func(context.Context) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) { _ = yield(0, nil) && yield(0, boom) }
			}, work, fine)
		},
		"sequence that blocks": func() error {
			return InOrder(t.Context(), 3, func(ctx context.Context) iter.Seq2[int, error] {
				return func(yield func(int, error) bool) {
					if yield(0, nil) {
						<-ctx.Done()
					}
				}
			}, func(context.Context, int) (int, error) { return 0, boom }, fine)
		},
		"caller": func() error {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(boom)
			if err := InOrder(ctx, 3, count(100), work, fine); !errors.Is(err, context.Canceled) {
				return err
			}
			return boom
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(); !errors.Is(err, boom) {
				t.Fatalf("got %v, want boom", err)
			}
		})
	}
}
