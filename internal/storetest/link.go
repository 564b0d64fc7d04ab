package storetest

import (
	"io"
	"log"
	"net"
	"net/url"
	"sync"
	"testing"
)

// Link is a line to a server that a test can damage: it passes bytes, whatever
// they are, and can be cut, blocked or stalled.
type Link struct {
	URL string

	target   string
	listener net.Listener
	workers  sync.WaitGroup

	mu      sync.Mutex
	moving  *sync.Cond // signals a change of what follows
	conns   map[net.Conn]bool
	refuse  bool
	stalled bool
	upLeft  int64 // bytes towards the server until all is cut; negative is no limit
	closed  bool
}

// NewLink starts a line to the server at endpoint.
func NewLink(t testing.TB, endpoint string) *Link {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{
		URL: "http://" + listener.Addr().String(), target: u.Host, listener: listener,
		conns: map[net.Conn]bool{}, upLeft: -1,
	}
	l.moving = sync.NewCond(&l.mu)
	l.workers.Go(l.accept)
	t.Cleanup(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.listener.Close()
		l.Cut()
		l.workers.Wait()
	})
	return l
}

// Cut breaks all connections. New ones work.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		conn.Close()
	}
	l.moving.Broadcast()
}

// CutAfter breaks all connections once n more bytes have gone to the server.
func (l *Link) CutAfter(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.upLeft = n
}

// Refuse says whether new connections are dropped.
func (l *Link) Refuse(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refuse = on
}

// Stall says whether bytes stop moving while connections stay up.
func (l *Link) Stall(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stalled = on
	l.moving.Broadcast()
}

func (l *Link) accept() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.workers.Go(func() { l.serve(client) })
	}
}

func (l *Link) serve(client net.Conn) {
	defer client.Close()
	l.mu.Lock()
	refuse := l.refuse || l.closed
	l.mu.Unlock()
	if refuse {
		return
	}
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		return
	}
	defer server.Close()
	l.mu.Lock()
	l.conns[client], l.conns[server] = true, true
	l.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { l.pass(server, client, true) })
	both.Go(func() { l.pass(client, server, false) })
	both.Wait()
	l.mu.Lock()
	delete(l.conns, client)
	delete(l.conns, server)
	l.mu.Unlock()
}

// pass moves bytes one way until either end closes.
func (l *Link) pass(to, from net.Conn, up bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		allowed := l.allow(n, up)
		if _, err := to.Write(buf[:allowed]); err != nil {
			return
		}
		if allowed < n {
			l.Cut()
			return
		}
		if err != nil {
			return
		}
	}
}

// allow waits while the line is stalled and returns how many of n bytes pass.
func (l *Link) allow(n int, up bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.stalled && !l.closed {
		l.moving.Wait()
	}
	if !up || l.upLeft < 0 {
		return n
	}
	if int64(n) < l.upLeft {
		l.upLeft -= int64(n)
		return n
	}
	allowed := int(l.upLeft)
	l.upLeft = -1
	return allowed
}

// quietLog keeps the connections that a test drops out of its output.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
