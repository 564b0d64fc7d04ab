package store

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Limits of one connection's life.
const (
	dialTimeout  = 30 * time.Second
	tlsTimeout   = 30 * time.Second
	idleTimeout  = 60 * time.Second // AWS and many proxies drop idle connections soon after
	maxIdleConns = 128              // one for every worker, so that none dials anew for each chunk
	ioBuffer     = 64 << 10
)

// Limits of what an answer may be. An honest answer is far below them.
const (
	maxHeaders   = 256 << 10 // bytes of an answer's headers
	progressSize = 64 << 10  // bytes that count as progress of a download
	// minRate is the least that a connection must move while a request is
	// under way, in bytes a second on average. A line of 20 kB/s that 128
	// workers share gives each of them more.
	minRate = 128
)

// errStalled ends a try whose connection is up but moves nothing, or so little that
// it would never end. It says which.
type errStalled string

func (e errStalled) Error() string { return string(e) }

// Timeout and Temporary make it a net.Error: TLS and net/http look at that.
func (errStalled) Timeout() bool   { return true }
func (errStalled) Temporary() bool { return true }

// newHTTPClient returns the client for all requests. There is no limit on how
// long a request takes, only on how long it moves nothing, or next to nothing:
// a chunk over a slow line may take hours. HTTP/2 is off, since it would put all parallel
// uploads onto one connection with one congestion window. It is the SDK's own
// type so that AWS_CA_BUNDLE keeps working.
func newHTTPClient(limit *limiter, stall time.Duration) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
		t.Proxy = http.ProxyFromEnvironment
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return newWatchedConn(conn, limit, stall), nil
		}
		t.TLSHandshakeTimeout = tlsTimeout
		t.IdleConnTimeout = idleTimeout
		t.MaxIdleConns = 0
		t.MaxIdleConnsPerHost = maxIdleConns
		t.ForceAttemptHTTP2 = false
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		t.DisableCompression = true
		t.WriteBufferSize = ioBuffer
		t.ReadBufferSize = ioBuffer
		t.MaxResponseHeaderBytes = maxHeaders
	})
}

// watchedConn keeps a connection inside the bandwidth limit and breaks it
// when no byte has moved in either direction for the stall time, or fewer than
// minRate allows in twice that time.
type watchedConn struct {
	net.Conn
	limit  *limiter
	stall  time.Duration
	moved  atomic.Int64 // when a byte moved last, Unix nanoseconds
	queued atomic.Int32 // reads and writes that wait for the bandwidth limit
	ctx    context.Context
	cancel context.CancelFunc

	mu    sync.Mutex
	since time.Time // begin of the time over which the rate is taken
	bytes int64     // moved since then, both ways
	slow  error     // why the connection is given up; sticky
}

func newWatchedConn(conn net.Conn, limit *limiter, stall time.Duration) *watchedConn {
	ctx, cancel := context.WithCancel(context.Background())
	c := &watchedConn{Conn: conn, limit: limit, stall: stall, ctx: ctx, cancel: cancel}
	c.touch()
	c.begin()
	return c
}

// begin starts to take the rate anew, as each request does: how long a
// connection was idle before does not matter.
func (c *watchedConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since, c.bytes = time.Now(), 0
}

// account adds bytes that have moved, and fails if they are too few for the
// time that they took.
func (c *watchedConn) account(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slow != nil {
		return c.slow
	}
	c.bytes += int64(n)
	took := time.Since(c.since)
	if took < 2*c.stall {
		return nil
	}
	if float64(c.bytes) < minRate*took.Seconds() {
		c.slow = errStalled(fmt.Sprintf("slower than %d bytes a second", minRate))
		return c.slow
	}
	c.since, c.bytes = time.Now(), 0
	return nil
}

// givenUp tells why the connection is of no use any more.
func (c *watchedConn) givenUp() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slow
}

// forgive takes time out of the account that the other end is not to blame
// for.
func (c *watchedConn) forgive(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since = c.since.Add(d)
}

func (c *watchedConn) touch() { c.moved.Store(time.Now().UnixNano()) }

// pay waits for the bandwidth limit, which is no stall.
func (c *watchedConn) pay(n int) error {
	c.queued.Add(1)
	defer c.queued.Add(-1)
	before := time.Now()
	err := c.limit.wait(c.ctx, n)
	c.forgive(time.Since(before))
	c.touch()
	if err != nil {
		return net.ErrClosed
	}
	return nil
}

// Close also ends what waits for the bandwidth limit.
func (c *watchedConn) Close() error {
	c.cancel()
	return c.Conn.Close()
}

// Read implements net.Conn. A read that waits while a request is being sent
// goes on for as long as the sending does.
func (c *watchedConn) Read(p []byte) (int, error) {
	p = p[:c.limit.clip(len(p))]
	c.touch()
	if err := c.givenUp(); err != nil {
		return 0, err
	}
	for {
		if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if n > 0 {
			c.touch()
			if payErr := c.pay(n); payErr != nil && err == nil {
				err = payErr
			}
			if slow := c.account(n); slow != nil && err == nil {
				err = slow
			}
			return n, err
		}
		if err := c.stillMoving(err); err != nil {
			return 0, err
		}
	}
}

// Write implements net.Conn.
func (c *watchedConn) Write(p []byte) (int, error) {
	c.touch()
	written := 0
	for written < len(p) {
		step := min(c.limit.clip(len(p)-written), ioBuffer)
		if err := c.pay(step); err != nil {
			return written, err
		}
		for step > 0 {
			if err := c.SetWriteDeadline(time.Now().Add(c.stall)); err != nil {
				return written, err
			}
			n, err := c.Conn.Write(p[written : written+step])
			written, step = written+n, step-n
			if n > 0 {
				c.touch()
			}
			if err := c.stillMoving(err); err != nil {
				return written, err
			}
			if err := c.account(n); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// stillMoving forgives a deadline that passed while bytes moved the other way.
func (c *watchedConn) stillMoving(err error) error {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if c.queued.Load() > 0 || time.Since(time.Unix(0, c.moved.Load())) < c.stall {
		return nil
	}
	return errStalled(fmt.Sprintf("no byte moved for %v", c.stall))
}
