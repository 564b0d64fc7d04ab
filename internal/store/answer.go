package store

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Limits of an answer that is not an object's data. A page of a listing has at
// most 1000 entries; that many of the longest keys, each byte of them encoded
// in three, with all that a service says of each, stay below.
const (
	maxAnswer   = 4 << 20   // bytes of an answer
	maxRefusal  = 256 << 10 // bytes of one that tells an error
	maxPageTags = 50_000    // XML tags in a page of a listing
	largeAnswer = 512 << 10 // bytes of an answer that few others are read beside
	manyTags    = 8_000     // and its XML tags: decoded, a short tag may take 100 bytes
	largeAtOnce = 2         // how many such answers
	maxTags     = 250_000   // XML tags in any other answer
	answerTime  = 15 * time.Minute
)

// errTooLong ends an answer that is more than there can be to say.
var errTooLong = errors.New("an answer that is too long")

// errTooSlow ends an answer that takes too long.
var errTooSlow = errors.New("an answer that does not end")

// client is the HTTP client of the S3 requests. It follows no redirect: S3
// tells with its errors where a bucket is, and a redirect to anywhere else
// would lead data and signatures astray. It bounds every answer, in size and
// in time, but for the data of objects, whose size the caller knows and whose
// time the connection watches.
type client struct {
	transport *http.Transport
	patience  time.Duration // for an answer, from its headers to its end
	large     chan struct{} // holds a token for each large answer that is read
}

func newClient(transport *http.Transport, patience time.Duration) *client {
	return &client{transport: transport, patience: patience, large: make(chan struct{}, largeAtOnce)}
}

// dataKey marks the context of a request whose answer is an object's data.
type dataKey struct{}

// forData marks a request whose answer may be of any size.
func forData(ctx context.Context) context.Context { return context.WithValue(ctx, dataKey{}, true) }

func (c *client) Do(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { beginOn(info) },
	}))
	answer, err := c.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	body := &answerBody{ReadCloser: answer.Body, ctx: ctx, cancel: cancel, large: c.large, left: maxAnswer, tags: maxTags}
	answer.Body = body
	refused := answer.StatusCode < 200 || answer.StatusCode >= 300
	switch {
	case refused:
		body.left = maxRefusal
	case ctx.Value(dataKey{}) != nil:
		body.unlimited = true
		return answer, nil
	case r.URL.Query().Has("list-type"):
		body.tags = maxPageTags
	}
	body.timer = time.AfterFunc(c.patience, func() {
		body.late.Store(true)
		cancel()
	})
	return answer, nil
}

// beginOn tells a connection that a request begins.
func beginOn(info httptrace.GotConnInfo) {
	conn := info.Conn
	for {
		switch c := conn.(type) {
		case *watchedConn:
			c.begin()
			return
		case interface{ NetConn() net.Conn }: // TLS
			conn = c.NetConn()
		default:
			return
		}
	}
}

// answerBody is the body of an answer within its limits.
type answerBody struct {
	io.ReadCloser
	ctx       context.Context
	cancel    context.CancelFunc
	timer     *time.Timer // nil without a limit of time
	late      atomic.Bool
	large     chan struct{}
	holds     bool // a token of large
	unlimited bool
	size      int64 // bytes that have come
	seen      int   // XML tags and quotes that have come
	left      int64 // bytes that may come
	tags      int   // XML tags and quotes that may come
	err       error // sticky
}

func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p)
	if b.unlimited {
		return n, err
	}
	b.size += int64(n)
	b.seen += countTags(p[:n])
	switch {
	case b.size > b.left || b.seen > b.tags:
		b.err = errTooLong
	case err != nil && err != io.EOF && b.late.Load():
		b.err = errTooSlow
	case b.size > largeAnswer || b.seen > manyTags:
		b.err = b.waitTurn()
	}
	if b.err == nil {
		return n, err
	}
	b.Close()
	return 0, b.err
}

// countTags counts what a decoder makes something of: tags, and attributes by
// their quotes.
func countTags(p []byte) int {
	n := 0
	for _, c := range p {
		if c == '<' || c == '"' || c == '\'' {
			n++
		}
	}
	return n
}

// waitTurn waits until few enough large answers are read.
func (b *answerBody) waitTurn() error {
	if b.holds {
		return nil
	}
	select {
	case b.large <- struct{}{}:
		b.holds = true
		return nil
	case <-b.ctx.Done():
		if b.late.Load() {
			return errTooSlow
		}
		return b.ctx.Err()
	}
}

// Close implements io.Closer. It comes after the answer has been decoded.
func (b *answerBody) Close() error {
	if b.timer != nil {
		b.timer.Stop()
	}
	if b.holds {
		b.holds = false
		<-b.large
	}
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
