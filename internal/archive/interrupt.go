package archive

import (
	"context"
	"io"
)

// A Read or Write of a pipe can block for ever and cannot be interrupted
// without changing the pipe for the processes that share it. These wrappers
// return when the context ends and leave the blocked call behind, with the
// bytes that it uses: callers must not touch them again.

type transfer struct {
	n   int
	err error
}

type interruptible struct {
	ctx   context.Context
	calls chan []byte
	done  chan transfer
}

func newInterruptible(ctx context.Context, call func([]byte) (int, error)) (*interruptible, func()) {
	i := &interruptible{ctx, make(chan []byte), make(chan transfer, 1)}
	go func() {
		for p := range i.calls {
			n, err := call(p)
			i.done <- transfer{n, err}
		}
	}()
	return i, func() { close(i.calls) }
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

type interruptibleReader struct{ *interruptible }

func (r interruptibleReader) Read(p []byte) (int, error) { return r.call(p) }

type interruptibleWriter struct{ *interruptible }

func (w interruptibleWriter) Write(p []byte) (int, error) { return w.call(p) }

// readUntil returns a reader of r that fails with the context's cause as soon
// as it ends, and a function that releases it.
func readUntil(ctx context.Context, r io.Reader) (io.Reader, func()) {
	i, release := newInterruptible(ctx, r.Read)
	return interruptibleReader{i}, release
}

// writeUntil is readUntil for a writer.
func writeUntil(ctx context.Context, w io.Writer) (io.Writer, func()) {
	i, release := newInterruptible(ctx, w.Write)
	return interruptibleWriter{i}, release
}
