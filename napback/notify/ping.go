package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	pingTimeout = 10 * time.Second // of one try
	pingTries   = 3
	pingWait    = time.Second // before the second try; doubles
	maxPing     = 10000       // bytes of a body, the least that services keep
)

// pingKind is a call of a URL about the whole run, or about each job where it
// stands in a block.
func pingKind() Kind {
	return Kind{
		Directives: []Directive{{Name: "PingURL", Secret: true, Check: func(address string) error { _, err := pingURL(address); return err }}},
		Open: func(s Settings, redact func(string) string) (Channel, error) {
			if s.One("PingURL") == "" {
				return nil, nil
			}
			return NewPing(s.One("PingURL"), redact)
		},
		Try: pingTry,
	}
}

// pingURL parses a PingURL. Its error holds nothing of the address.
func pingURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("want http:// or https:// and a host")
	}
	return u, nil
}

// Ping calls a URL when a run begins and ends, as healthchecks.io defines it:
// URL/start, then URL for success or URL/fail, all three with the same random
// UUID as the query's rid, so that overlapping runs are told apart.
//
// The URL is a secret, since who knows it can report success: no error holds
// more of it than its host.
type Ping struct {
	url    *url.URL
	rid    string
	redact func(string) string
	client *http.Client
	wait   time.Duration
}

// NewPing returns a Ping for one run. redact masks secrets in what is sent; nil =
// nothing.
func NewPing(address string, redact func(string) string) (*Ping, error) {
	u, err := pingURL(address)
	if err != nil {
		return nil, fmt.Errorf("PingURL: %w", err)
	}
	u.Fragment = ""
	return &Ping{url: u, rid: newUUID(), redact: redact, client: pingClient(), wait: pingWait}, nil
}

// PingSecrets returns what of a PingURL must not be logged: the whole, and what
// of it is long enough to be an identifier that nobody guesses.
func PingSecrets(address string) []string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return nil
	}
	secrets := []string{address}
	for _, part := range append(strings.Split(u.EscapedPath(), "/"), u.RawQuery) {
		if len(part) >= minIdentifier {
			secrets = append(secrets, part)
		}
	}
	return secrets
}

// minIdentifier is shorter than any service's identifiers; words such as "ping"
// must not be masked in a log.
const minIdentifier = 12

// newUUID returns a random UUID, version 4 of RFC 9562.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// pingClient returns a client that tells the URL to nobody but its own host:
// not in clear when it was to be encrypted, and not to another host, which would
// get it as the Referer.
func pingClient() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	return &http.Client{
		Transport: transport,
		Timeout:   pingTimeout,
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			from := via[0].URL
			switch {
			case next.URL.Scheme != from.Scheme:
				return fmt.Errorf("redirected from %s to %s", from.Scheme, next.URL.Scheme)
			case next.URL.Host != from.Host:
				return fmt.Errorf("redirected to another host, %s", next.URL.Host)
			case len(via) >= 3:
				return errors.New("redirected too often")
			}
			return nil
		},
	}
}

// Name is how warnings name a Ping.
func (p *Ping) Name() string { return "the ping" }

// Start tells that the run begins.
func (p *Ping) Start(ctx context.Context) error { return p.send(ctx, "start", "") }

// Finish tells that the run has succeeded, if with warnings, or failed, and how.
func (p *Ping) Finish(ctx context.Context, r Report) error {
	switch {
	case r.Locked:
		return nil
	case r.Ending == Failed:
		return p.send(ctx, "fail", r.Summary)
	}
	return p.send(ctx, "", r.Summary)
}

// send calls the URL with event as its last part, at most pingTries times.
func (p *Ping) send(ctx context.Context, event, body string) error {
	u := *p.url
	if event != "" {
		u = *u.JoinPath(event)
	}
	// Appended as text: parsing would put the user's own query in order.
	u.RawQuery = strings.TrimPrefix(u.RawQuery+"&rid="+p.rid, "&")
	body = head(plain(masked(p.redact, body)), maxPing)
	var err error
	for try, wait := 1, p.wait; ; try, wait = try+1, wait*2 {
		var again bool
		if again, err = p.try(ctx, u.String(), body); err == nil {
			return nil
		}
		if !again || try == pingTries {
			break
		}
		select {
		case <-time.After(wait):
			continue
		case <-ctx.Done():
		}
		break
	}
	return fmt.Errorf("ping %s: %w", p.url.Hostname(), err)
}

// try calls the address once, and tells whether another try could help.
func (p *Ping) try(ctx context.Context, address, body string) (again bool, err error) {
	method := http.MethodGet
	var content io.Reader
	if body != "" {
		method, content = http.MethodPost, strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return false, errors.New("the URL cannot be called")
	}
	request.Header.Set("User-Agent", "napback")
	if body != "" {
		request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	response, err := p.client.Do(request)
	if err != nil {
		var whole *url.Error // quotes the URL
		if errors.As(err, &whole) {
			err = whole.Err
		}
		return response == nil, err // there is one if it was a redirect
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	code := response.StatusCode
	if code < 200 || code > 299 {
		again = code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
		return again, fmt.Errorf("answered %d %s", code, http.StatusText(code))
	}
	return false, nil
}
