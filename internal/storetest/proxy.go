package storetest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// Proxy is a reverse proxy in front of a server. It keeps the Host header, so
// that signatures stay valid, writes down every request, and makes those fail
// that a Fault picks.
type Proxy struct {
	URL string

	reverse *httputil.ReverseProxy
	ended   chan struct{} // closed when the test ends
	mu      sync.Mutex
	faults  []*Fault
	seen    []Request
}

// Request is what the proxy remembers of a request.
type Request struct {
	Method string
	Path   string // decoded
	Query  url.Values
	Header http.Header
}

// Fault makes requests fail. Exactly one of Status, Lose, Stall, CutBody and
// Hold says how.
type Fault struct {
	Match func(r *http.Request) bool // nil is every request
	Times int                        // how many requests; 0 is all

	Status  int    // answer with this status and do not ask the server
	Code    string // the S3 error code in that answer
	Message string // and its message
	Lose    bool   // let the server do it, then drop the connection without an answer
	Stall   bool   // take the request and never answer
	CutBody int64  // drop the connection after so many bytes of the answer's body
	// Hold keeps the request, whole, until it is closed, and then lets it through.
	Hold <-chan struct{}

	hits int
}

// NewProxy starts a proxy in front of the server at endpoint.
func NewProxy(t testing.TB, endpoint string) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.DisableCompression = true
	p := &Proxy{ended: make(chan struct{})}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		Transport:    transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     nil,
	}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = quietLog()
	server.Start()
	p.URL = server.URL
	t.Cleanup(func() {
		close(p.ended)
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return p
}

// Inject adds a fault. The first fault that matches and is not used up wins.
func (p *Proxy) Inject(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
}

// Reset forgets the faults and the requests.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.seen = nil, nil
}

// Requests returns the requests since the start or the last Reset.
func (p *Proxy) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// Count returns how many requests there were with a method; "" is any.
func (p *Proxy) Count(method string) int {
	n := 0
	for _, r := range p.Requests() {
		if method == "" || r.Method == method {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.note(r)
	switch {
	case fault == nil:
		p.reverse.ServeHTTP(w, r)
	case fault.Status != 0:
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(fault.Status)
		if r.Method != http.MethodHead && fault.Code != "" {
			io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`+fault.Code+`</Code><Message>`+
				fault.Message+`</Message><RequestId>0123456789ABCDEF</RequestId></Error>`)
		}
	case fault.Lose:
		p.reverse.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case fault.Stall:
		select {
		case <-r.Context().Done():
		case <-p.ended:
		}
		panic(http.ErrAbortHandler)
	case fault.Hold != nil:
		p.hold(w, r, fault.Hold)
	default:
		p.reverse.ServeHTTP(&cutWriter{ResponseWriter: w, left: fault.CutBody}, r)
	}
}

// hold reads a request whole, as a slow network would deliver it, and lets it
// through once until is closed.
func (p *Proxy) hold(w http.ResponseWriter, r *http.Request, until <-chan struct{}) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	select {
	case <-until:
		p.reverse.ServeHTTP(w, r)
	case <-p.ended:
		panic(http.ErrAbortHandler)
	}
}

// note remembers a request and picks its fault.
func (p *Proxy) note(r *http.Request) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, Request{r.Method, r.URL.Path, r.URL.Query(), r.Header.Clone()})
	for _, f := range p.faults {
		if (f.Times == 0 || f.hits < f.Times) && (f.Match == nil || f.Match(r)) {
			f.hits++
			return f
		}
	}
	return nil
}

// Method returns a Match for Fault.
func Method(method string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method }
}

// cutWriter lets so many bytes of a body through, then drops the connection.
type cutWriter struct {
	http.ResponseWriter
	left int64
}

func (w *cutWriter) Write(p []byte) (int, error) {
	if int64(len(p)) <= w.left {
		w.left -= int64(len(p))
		return w.ResponseWriter.Write(p)
	}
	w.ResponseWriter.Write(p[:w.left])
	http.NewResponseController(w.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
