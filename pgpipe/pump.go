package main

import (
	"context"
	"fmt"
	"io"

	"napback/internal/cli"
)

// copyBuffer is how much is read at a time: what a Linux pipe holds.
const copyBuffer = 64 << 10

// pump runs a transformation from stdin to stdout. A read or write that failed is
// the error that it returns, whatever the transformation made of it. It returns
// early when ctx ends, even if a read is blocked.
func pump(ctx context.Context, std cli.Streams, transform func(dst io.Writer, src io.Reader) error) error {
	done := make(chan error, 1)
	go func() {
		src := &sticky{r: std.In}
		dst := &output{w: std.Out}
		err := transform(dst, src)
		switch {
		case dst.err != nil:
			err = fmt.Errorf("write stdout: %w", dst.err)
		case src.err != nil && src.err != io.EOF:
			err = fmt.Errorf("read stdin: %w", src.err)
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// output is stdout. It remembers why writing failed.
type output struct {
	w   io.Writer
	err error
}

func (s *output) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	s.err = err
	return n, err
}
