package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"napback/internal/cli"
)

// PutOptions say how a stream is stored.
type PutOptions struct {
	Name      string // of the archive
	ChunkSize int64  // bytes
	Budget    Budget
	Host      string // recorded in the manifest
	Tool      string // program and version, recorded in the manifest
	Tag       string
	Meta      map[string]string
	Owner     string // who writes, if not empty: see CheckOwner
	Parent    Run    // the run that this one builds on, if any
	Keep      bool   // leave superseded runs alone
	Signer    Signer // signs the manifest; nil: it is not signed
	Pretend   bool   // read the stream and the listing, change nothing

	// Named, if not nil, is called with the run before the first byte of
	// the stream is read.
	Named func(Run) error
	// Finish, if not nil, is called after end of input, when all chunks
	// are stored. It returns nil if the producer of the stream succeeded,
	// and meta to be added. An error keeps the run from being committed.
	Finish func(context.Context) (map[string]string, error)
	// Fetch returns a shell command that writes the objects whose keys
	// begin with prefix to stdout, for the manifest's `recover`.
	Fetch func(prefix string) string
	// Stored, if not nil, is called for each chunk that has been stored,
	// by several goroutines.
	Stored func(number, size int64)
	// Moved, if not nil, is called as bytes of chunks are sent, with less than
	// zero for those that have to be sent again, by several goroutines.
	Moved func(n int64)

	Now func() time.Time // the host's clock; nil for time.Now
	Log *cli.Log         // may be nil
}

// pretended is a bucket that is read but not changed.
type pretended struct{ Store }

// pretend returns st unchanged by what is done to it, for who trusts as before.
func pretend(st Store) Store {
	if t, ok := st.(*trusting); ok {
		return &trusting{Store: pretended{t.Store}, trust: t.trust}
	}
	return pretended{st}
}

// Put reads the object, as an upload would, and drops it.
func (pretended) Put(_ context.Context, obj Upload) error {
	_, err := io.Copy(io.Discard, obj.Body)
	return err
}

// Delete does nothing.
func (pretended) Delete(context.Context, ...string) error { return nil }

// put is one Put under way.
type put struct {
	PutOptions
	st   Store
	run  Run
	seen []Run // of the name, before the upload
	// listDenied: the credentials may not list, so that nothing is seen.
	listDenied bool
	// flooded: there are more runs than are looked at, and none is seen.
	flooded bool

	bytes   int64 // of the stream, set by the reader
	chunks  int64 // handed to workers, set by the reader
	mu      sync.Mutex
	sums    sumList
	sumsSum [sha256.Size]byte // of SHA256SUMS, once all chunks are stored
	ours    []bool            // chunks that this put has, or may have, stored
	summed  bool              // the same of SHA256SUMS
	signed  bool              // and of the signature
	cut     []string          // keys whose upload ended without an answer
	started time.Time
}

// Put stores the stream in under o.Name, in the steps that the package
// comment tells, and returns the manifest that commits it. With an error
// nothing has been committed, unless it says that this is not known.
//
// Put returns promptly when ctx ends, even if in blocks; in must not be read
// again after an error.
func Put(ctx context.Context, st Store, in io.Reader, o PutOptions) (*Manifest, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pretend {
		st = pretend(st)
	}
	p := &put{PutOptions: o, st: st}
	if err := CheckName(o.Name); err != nil {
		return nil, cli.Errorf(cli.Usage, "name %q: %w", o.Name, err)
	}
	buffers, err := o.Budget.buffers(o.ChunkSize)
	if err != nil {
		return nil, err
	}
	if err := p.begin(ctx); err != nil {
		return nil, err
	}
	if err := p.prepare(ctx, in, buffers); err != nil {
		p.abandon(ctx)
		return nil, err
	}
	m, err := p.commit(ctx)
	if err != nil {
		return nil, err
	}
	if !o.Pretend {
		p.clean(ctx)
	}
	return m, nil
}

// begin names the run.
func (p *put) begin(ctx context.Context) error {
	runs, err := ListRuns(ctx, p.st, p.Name)
	if errors.Is(err, ErrPermission) && !errors.Is(err, ErrCredentials) {
		// Credentials that can only create objects are a use that is meant.
		p.Log.Verbosef("list the runs of %q: not allowed, so the run is named by the clock alone", p.Name)
		runs, err, p.listDenied = nil, nil, true
	}
	if errors.Is(err, ErrTooManyRuns) {
		// Whoever has planted them must not keep us from storing a backup.
		p.Log.Warnf("%v: the run is named by the clock alone, and older ones stay", err)
		runs, err, p.flooded = nil, nil, true
	}
	if err != nil {
		return err
	}
	p.seen = runs
	now, corrected := p.now()
	if corrected {
		p.Log.Warnf("this host's clock is at %s, but the store's at %s, which is used", stamp(p.Now()), stamp(now))
	}
	last := p.lastPlausible()
	run, late := NewRun(now, last)
	if late {
		p.Log.Warnf("the clock is behind the last run of %q, %s: has it been set back?", p.Name, last)
	}
	p.started, p.run = now, run
	if p.Named != nil {
		return p.Named(run)
	}
	return nil
}

// prepare does everything up to the commit, which then makes it an archive.
func (p *put) prepare(ctx context.Context, in io.Reader, buffers int) error {
	if err := p.upload(ctx, in, buffers); err != nil {
		return err
	}
	if p.Finish != nil {
		meta, err := p.Finish(ctx)
		if err != nil {
			return err
		}
		p.addMeta(meta)
	}
	err := p.putSums(ctx)
	if p.summed = !errors.Is(err, ErrExist); p.summed && err != nil {
		p.cut = append(p.cut, sumsKey(p.Name, p.run))
	}
	if err != nil {
		return err
	}
	if err = p.recount(ctx, p.manifest(), false); errors.Is(err, errNotWhole) {
		return fmt.Errorf("archive %q is not whole before its commit: %w: something has removed parts of it", p.address(), err)
	}
	return err
}

// chunk is a filled buffer on its way to a worker.
type chunk struct {
	number int64
	buf    *buffer
}

// upload reads the stream and stores its chunks.
func (p *put) upload(parent context.Context, in io.Reader, buffers int) error {
	group, ctx := errgroup.WithContext(parent)
	stream, release := untilEnd(ctx, in.Read)
	defer release()
	free := newPool(buffers, p.ChunkSize, p.Budget.Spool)
	defer free.close()
	chunks := make(chan chunk)
	group.Go(func() error {
		defer close(chunks)
		return p.read(ctx, stream, free, chunks)
	})
	for range min(max(p.Budget.Concurrency, 1), buffers) {
		group.Go(func() error {
			for c := range chunks {
				if err := p.store(ctx, c); err != nil {
					return err
				}
				free.put(c.buf)
			}
			return nil
		})
	}
	return group.Wait()
}

// read fills buffers from the stream and hands them to the workers.
func (p *put) read(ctx context.Context, in io.Reader, free *pool, chunks chan<- chunk) error {
	for {
		buf, err := free.get(ctx)
		if err != nil {
			return err
		}
		end := buf.fill(in)
		if end != nil && end != io.EOF {
			free.put(buf)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return end
		}
		if buf.n == 0 {
			free.put(buf)
			return nil
		}
		if err := p.makeRoom(ctx, free); err != nil {
			return err
		}
		p.mu.Lock()
		p.sums.grow()
		p.ours = append(p.ours, false)
		p.mu.Unlock()
		p.bytes += buf.n
		p.chunks++
		select {
		case chunks <- chunk{p.chunks - 1, buf}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if end == io.EOF {
			return nil
		}
	}
}

// store hashes one chunk and stores it.
func (p *put) store(ctx context.Context, c chunk) error {
	hash := sha256.New()
	if _, err := io.Copy(hash, c.buf.reader()); err != nil {
		return fmt.Errorf("read chunk %d: %w", c.number, err)
	}
	sum := [sha256.Size]byte(hash.Sum(nil))
	p.mu.Lock()
	copy(p.sums.at(c.number), sum[:])
	p.mu.Unlock()
	key := ChunkKey(p.Name, p.run, c.number)
	body := &countedBody{ReadSeeker: c.buf.reader(), moved: p.moved}
	err := p.st.Put(ctx, Upload{Key: key, Body: body, Size: c.buf.n, SHA256: sum, Bulk: true})
	if err == nil {
		body.to(c.buf.n) // also if an earlier try turns out to have sent it all
	}
	p.mu.Lock()
	if p.ours[c.number] = !errors.Is(err, ErrExist); p.ours[c.number] && err != nil {
		p.cut = append(p.cut, key)
	}
	p.mu.Unlock()
	if err == nil && p.Stored != nil {
		p.Stored(c.number, c.buf.n)
	}
	return err
}

func (p *put) moved(n int64) {
	if p.Moved != nil {
		p.Moved(n)
	}
}

func (p *put) addMeta(more map[string]string) {
	meta := map[string]string{} // the caller's own is not changed
	maps.Copy(meta, p.Meta)
	maps.Copy(meta, more)
	p.Meta = meta
}

// makeRoom makes room for the sum of one more chunk. What the sums need of the
// memory for chunks is taken from the buffers; the caller holds one of these.
func (p *put) makeRoom(ctx context.Context, free *pool) error {
	for {
		chunks := int64(0)
		if p.Budget.Spool == "" {
			chunks = int64(free.buffers) * p.ChunkSize
		}
		switch {
		case chunks+sumsCost(p.chunks+1) <= p.Budget.Memory:
			return nil
		case free.buffers == 1 || p.Budget.Spool != "":
			return cli.WithHint(cli.Errorf(cli.Usage, "the sums of more than %d chunks do not fit into %s of memory", p.chunks, cli.FormatSize(p.Budget.Memory)),
				"make the chunks larger, or give more --memory: the sums take 32 bytes a chunk")
		}
		if err := free.drop(ctx); err != nil {
			return err
		}
	}
}

// putSums stores SHA256SUMS.
func (p *put) putSums(ctx context.Context) error {
	text := p.sums.text()
	hash := sha256.New()
	if _, err := io.Copy(hash, text); err != nil {
		return err
	}
	p.sumsSum = [sha256.Size]byte(hash.Sum(nil))
	return p.st.Put(ctx, Upload{Key: sumsKey(p.Name, p.run), Body: text, Size: text.Size(), SHA256: p.sumsSum})
}
