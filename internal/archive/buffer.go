package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"napback/internal/cli"
)

// Budget bounds what a put or a get holds of a stream at a time.
type Budget struct {
	Concurrency int    // transfers in flight, at least 1
	Memory      int64  // bytes of chunks held in memory; unused with Spool
	Spool       string // directory for buffers in files instead of memory; empty for none
}

// buffers returns how many chunks of the given size may be held at a time:
// one for each transfer and one to fill or to write meanwhile, or as many as
// fit into the memory. Errors have the code cli.Usage.
func (b Budget) buffers(chunk int64) (int, error) {
	n := int64(max(b.Concurrency, 1)) + 1
	if b.Spool != "" {
		return int(n), nil
	}
	if chunk > b.Memory {
		return 0, cli.WithHint(cli.Errorf(cli.Usage, "chunks of %s do not fit into %s of memory",
			cli.FormatSize(chunk), cli.FormatSize(b.Memory)), "give more --memory, or --spool DIR to hold them in files")
	}
	return int(min(n, b.Memory/chunk)), nil
}

// buffer holds one chunk, in memory or in a file.
type buffer struct {
	size int64 // bytes it can hold
	mem  []byte
	file *os.File
	n    int64 // bytes it holds
}

// pool is a fixed number of buffers that are passed around. A buffer is
// made when it is first needed, so that a short stream costs little.
type pool struct {
	free    chan *buffer
	spool   string
	buffers int // in the pool or with somebody; only drop changes it
}

func newPool(n int, size int64, spool string) *pool {
	p := &pool{free: make(chan *buffer, n), spool: spool, buffers: n}
	for range n {
		p.free <- &buffer{size: size}
	}
	return p
}

// get waits for a free buffer and empties it.
func (p *pool) get(ctx context.Context) (*buffer, error) {
	select {
	case b := <-p.free:
		return b, b.reset(p.spool)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pool) put(b *buffer) { p.free <- b }

// drop waits for a free buffer and gives it up for good.
func (p *pool) drop(ctx context.Context) error {
	select {
	case b := <-p.free:
		p.buffers--
		b.remove()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close removes the files of the buffers that have been put back.
func (p *pool) close() {
	for {
		select {
		case b := <-p.free:
			b.remove()
		default:
			return
		}
	}
}

func (b *buffer) remove() {
	if b.file != nil {
		b.file.Close()
		os.Remove(b.file.Name()) // gone already where open files can be removed
	}
}

func (b *buffer) reset(spool string) error {
	b.n = 0
	if spool == "" {
		if b.mem == nil {
			b.mem = make([]byte, b.size)
		}
		return nil
	}
	if b.file == nil {
		file, err := os.CreateTemp(spool, "s3-spool-*") // mode 0600
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		os.Remove(file.Name()) // so that a killed process leaves nothing
		b.file = file
	}
	if err := b.file.Truncate(0); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// fill reads until the buffer is full or r ends. It returns io.EOF when r
// has ended, even if there was something to read.
func (b *buffer) fill(r io.Reader) error {
	source := &sourceReader{r: r}
	var err error
	if b.file == nil {
		var n int
		n, err = io.ReadFull(source, b.mem[:b.size])
		b.n = int64(n)
	} else {
		_, err = io.Copy(b, io.LimitReader(source, b.size))
	}
	switch {
	case source.err == io.EOF:
		return io.EOF
	case source.err != nil:
		return fmt.Errorf("read the stream: %w", source.err)
	}
	return err // of the spool
}

// sourceReader remembers the error of a reader, to tell it from those of what
// is done with the bytes.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// Write appends to the buffer. It never goes beyond the buffer's size.
func (b *buffer) Write(p []byte) (n int, err error) {
	if int64(len(p)) > b.size-b.n {
		return 0, io.ErrShortWrite
	}
	if b.file == nil {
		n = copy(b.mem[b.n:], p)
	} else {
		n, err = b.file.WriteAt(p, b.n)
	}
	b.n += int64(n)
	if err != nil {
		err = fmt.Errorf("spool: %w", err)
	}
	return n, err
}

// reader reads what the buffer holds.
func (b *buffer) reader() io.ReadSeeker {
	if b.file == nil {
		return bytes.NewReader(b.mem[:b.n])
	}
	return io.NewSectionReader(b.file, 0, b.n)
}
