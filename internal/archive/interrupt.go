package archive

import (
	"context"
)

// untilEnd returns a reader or writer of which read or write is the only call. It
// fails with the context's cause as soon as that ends. release ends it.
//
// A Read or Write of a pipe can block for ever and cannot be interrupted
// without changing the pipe for the processes that share it. So the blocked call is
// left behind, with the bytes that it uses: callers must not touch them again.
func untilEnd(ctx context.Context, call func([]byte) (int, error)) (i *interruptible, release func()) {
	i = &interruptible{ctx, make(chan []byte), make(chan transfer, 1)}
	go func() {
		for p := range i.calls {
			n, err := call(p)
			i.done <- transfer{n, err}
		}
	}()
	return i, func() { close(i.calls) }
}

type transfer struct {
	n   int
	err error
}

type interruptible struct {
	ctx   context.Context
	calls chan []byte
	done  chan transfer
}

func (i *interruptible) call(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, context.Cause(i.ctx)
	}
	i.calls <- p
	select {
	case t := <-i.done:
		return t.n, t.err
	case <-i.ctx.Done():
		return 0, context.Cause(i.ctx)
	}
}

func (i *interruptible) Read(p []byte) (int, error) { return i.call(p) }

func (i *interruptible) Write(p []byte) (int, error) { return i.call(p) }
