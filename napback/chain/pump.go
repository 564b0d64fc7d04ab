package chain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// pumps move what the chain reads from, or writes to, something that is no file.
type pumps struct {
	in    *os.File      // our end of the first stage's stdin; nil = not pumped
	out   *outlet       // our end of the last stage's stdout; nil = not pumped
	fed   chan error    // how the pump of in ended; nil once that is known
	taken chan error    // the same of out
	gone  chan struct{} // closed when Run returns
}

// tell hands over how a pump ended, and returns once that is known.
func (p *pumps) tell(to chan<- error, err error) {
	select {
	case to <- err:
	case <-p.gone:
	}
}

// openIn returns what the first stage reads.
func (r *running) openIn() (*os.File, error) {
	in := r.chain.In
	if f, ok := in.(*os.File); ok || in == nil {
		return f, nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	r.in, r.fed = write, make(chan error)
	go func(fed chan<- error) {
		from := &remembering{Reader: in}
		_, _ = io.Copy(write, from) // a stage that does not read it all tells why by its status
		if from.err == nil {
			write.Close()
		} // else the stages are ended first: none may take a part for the whole
		r.tell(fed, from.err)
	}(r.fed)
	return read, nil
}

// remembering tells an error of a reader from one of who it is copied to.
type remembering struct {
	io.Reader
	err error
}

func (m *remembering) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// openOut returns what the last stage writes to.
func (r *running) openOut() (*os.File, error) {
	take, out := r.chain.take, r.chain.Out
	if take == nil {
		if f, ok := out.(*os.File); ok || out == nil {
			return f, nil
		}
		take = func(from io.Reader) error { _, err := io.Copy(out, from); return err }
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe: %w", err)
	}
	r.out, r.taken = &outlet{pipe: read, over: make(chan struct{}), wait: stderrDelay}, make(chan error)
	go func(taken chan<- error) {
		err := take(r.out)
		r.tell(taken, err) // before a stage fails for want of a reader
		read.Close()
	}(r.taken)
	return write, nil
}

// outlet is our end of the last stage's stdout. It ends after all stages have.
// What a process that they left behind adds is waited for no longer than of stderr;
// if it holds the other end open after that, it is an error.
type outlet struct {
	pipe *os.File
	over chan struct{} // closed once all stages have ended, and the deadline is set
	wait time.Duration // how long is still waited for more after that
}

func (o *outlet) Read(p []byte) (int, error) {
	n, err := o.pipe.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) && o.wait > 0 {
		// What the stages wrote is in the pipe, however slow we are.
		asked := time.Now()
		_ = o.pipe.SetReadDeadline(asked.Add(o.wait))
		n, err = o.pipe.Read(p)
		_ = o.pipe.SetReadDeadline(asked)
		o.wait -= time.Since(asked)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("a process that was left behind holds the output open")
	}
	if err == io.EOF {
		<-o.over
	}
	return n, err
}

// breakOff makes an error of a pump the cause, unless a stage failed for its own
// before.
func (r *running) breakOff(err error) {
	if own, _ := r.failures(); r.broken == nil && len(own) == 0 {
		r.broken = err
	}
	r.closeCommit()
}

// endPumps waits for the pumps after all stages have ended. Of what was not taken
// by then it returns the error.
func (r *running) endPumps(ctx context.Context, err error) error {
	defer close(r.gone)
	if r.in != nil {
		r.in.Close() // which ends a Write; a Read that does not end is left alone
		if r.fed != nil {
			select {
			case <-r.fed: // no stage needed what is missing
			case <-time.After(stderrDelay):
			}
		}
	}
	if r.out == nil {
		return nil
	}
	_ = r.out.pipe.SetReadDeadline(time.Now())
	close(r.out.over)
	switch {
	case r.taken == nil:
		return nil
	case r.chain.take != nil: // what it uses is the caller's, who gets it back
		return <-r.taken
	}
	if err == nil { // else nobody needs what is left
		select {
		case err := <-r.taken:
			return err
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	select {
	case err := <-r.taken:
		return err
	case <-time.After(stderrDelay): // Out's Write does not end
		r.out.pipe.Close()
		return err
	}
}
