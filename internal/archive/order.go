package archive

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"
)

// Each yields items that are known, in the form that InOrder takes.
func Each[T any](items ...T) func(context.Context) iter.Seq2[T, error] {
	return func(context.Context) iter.Seq2[T, error] {
		return func(yield func(T, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// InOrder calls work for the items of a sequence, up to n at a time, and emit
// with the results in the order of the sequence, one at a time. About n
// results wait to be emitted. It ends at the first error, of the sequence,
// work or emit, and returns when all of them have returned. The sequence is
// made with a context that ends with the first error, and must heed it when
// it blocks.
func InOrder[T, R any](ctx context.Context, n int, seq func(context.Context) iter.Seq2[T, error],
	work func(context.Context, T) (R, error), emit func(R) error) error {
	group, ctx := errgroup.WithContext(ctx)
	futures := make(chan chan R, n)
	group.Go(func() error {
		defer close(futures)
		workers, workCtx := errgroup.WithContext(ctx)
		workers.SetLimit(n)
		for item, err := range seq(workCtx) {
			if err != nil {
				workers.Go(func() error { return err })
				break
			}
			future := make(chan R, 1)
			select {
			case futures <- future:
			case <-workCtx.Done():
			}
			if workCtx.Err() != nil {
				break
			}
			workers.Go(func() error {
				result, err := work(workCtx, item)
				if err == nil {
					future <- result
				}
				return err
			})
		}
		if err := workers.Wait(); err != nil {
			return err
		}
		return ctx.Err()
	})
	group.Go(func() error {
		for future := range futures {
			select {
			case result := <-future:
				if err := emit(result); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
