package notify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const check = "eb095278-f28d-448d-87fb-7b75c171a6aa"

// monitor is a server that notes how it was called.
type monitor struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string // method, path and query, body
}

func startMonitor(t *testing.T, answer http.HandlerFunc) *monitor {
	t.Helper()
	m := &monitor{}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		m.calls = append(m.calls, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		m.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *monitor) heard() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.calls)
}

func newPing(t *testing.T, address string) *Ping {
	t.Helper()
	p, err := NewPing(address, mask)
	if err != nil {
		t.Fatal(err)
	}
	p.wait = time.Millisecond
	return p
}

func fine(http.ResponseWriter, *http.Request) {}

func TestPingCallsWhatHealthchecksExpects(t *testing.T) {
	m := startMonitor(t, fine)
	for suffix, want := range map[string][]string{
		"/" + check:  {"GET /" + check + "/start?rid=RID", "POST /" + check + "?rid=RID all is ***", "POST /" + check + "/fail?rid=RID a\n?b"},
		"/a/b/?":     {"GET /a/b/start?rid=RID", "POST /a/b/?rid=RID all is ***", "POST /a/b/fail?rid=RID a\n?b"},
		"?z=1&a=%2F": {"GET /start?z=1&a=%2F&rid=RID", "POST /?z=1&a=%2F&rid=RID all is ***", "POST /fail?z=1&a=%2F&rid=RID a\n?b"},
		"/a%2Fb#x":   {"GET /a%2Fb/start?rid=RID", "POST /a%2Fb?rid=RID all is ***", "POST /a%2Fb/fail?rid=RID a\n?b"},
	} {
		before := len(m.heard())
		p := newPing(t, m.URL+suffix)
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(p.rid) {
			t.Errorf("rid %q", p.rid)
		}
		err := errors.Join(p.Start(t.Context()), p.Finish(t.Context(), Report{Summary: "all is secret-word"}), p.Finish(t.Context(), Report{Ending: Failed, Summary: "a\n\x1bb"}))
		if err != nil {
			t.Error(err)
		}
		got := m.heard()[before:]
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], p.rid, "RID")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", suffix, got)
		}
	}
	if first, second := newPing(t, m.URL), newPing(t, m.URL); first.rid == second.rid {
		t.Error("two runs have one rid")
	}
}

func TestPingBodyIsBounded(t *testing.T) {
	m := startMonitor(t, fine)
	p := newPing(t, m.URL)
	if err := p.Finish(t.Context(), Report{Ending: Failed, Summary: strings.Repeat("ä", maxPing)}); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(m.heard()[0], p.rid+" ")
	if len(body) > maxPing || len(body) < maxPing-10 || !strings.HasSuffix(body, "ä\n[cut]") || strings.Contains(body, "\ufffd") {
		t.Errorf("%d bytes, ends %q", len(body), body[len(body)-20:])
	}
}

func TestPingTriesAgainOnlyWhereThatHelps(t *testing.T) {
	for code, want := range map[int]int{200: 1, 204: 1, 400: 1, 404: 1, 408: 3, 429: 3, 500: 3, 503: 3} {
		m := startMonitor(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		err := newPing(t, m.URL+"/"+check).Finish(t.Context(), Report{Summary: "body"})
		if n := len(m.heard()); n != want || (err == nil) != (code < 300) {
			t.Errorf("%d: %d calls, %v", code, n, err)
		}
	}
	var broken atomic.Int32
	m := startMonitor(t, func(http.ResponseWriter, *http.Request) {
		if broken.Add(1) < 3 {
			panic(http.ErrAbortHandler)
		}
	})
	if err := newPing(t, m.URL).Finish(t.Context(), Report{Summary: "body"}); err != nil {
		t.Error(err)
	}
	calls := m.heard()
	if len(calls) != 3 || calls[0] != calls[2] || !strings.HasSuffix(calls[2], " body") {
		t.Errorf("calls %q", calls)
	}
}

func TestPingNeverShowsItsURL(t *testing.T) {
	refused := startMonitor(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	down := startMonitor(t, fine)
	down.Close()
	odd := startMonitor(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "ftp://x/"+check, http.StatusFound) })
	for _, base := range []string{refused.URL, down.URL, odd.URL, "http://ann:" + check + "@127.0.0.1:1", "https://" + strings.TrimPrefix(refused.URL, "http://")} {
		p := newPing(t, base+"/"+check+"?key="+check)
		for _, err := range []error{p.Start(t.Context()), p.Finish(t.Context(), Report{Ending: Failed, Summary: "x"})} {
			if err == nil || strings.Contains(err.Error(), check) || !strings.HasPrefix(err.Error(), "ping ") {
				t.Errorf("%s: %v", base, err)
			}
		}
	}
	for _, address := range []string{"ftp://h/" + check, "h/" + check, "http://", "http://h:x/" + check, "http://h/%zz" + check} {
		if p, err := NewPing(address, nil); p != nil || err == nil || strings.Contains(err.Error(), check) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestPingFollowsRedirectsOnlyToItsOwnHost(t *testing.T) {
	other := startMonitor(t, fine)
	for target, want := range map[string]string{
		"":                        "",
		other.URL + "/there":      "another host",
		"https://127.0.0.1/there": "from http to https",
	} {
		m := startMonitor(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/there" {
				http.Redirect(w, r, target+"/there", http.StatusTemporaryRedirect)
			}
		})
		err := newPing(t, m.URL+"/"+check).Finish(t.Context(), Report{Ending: Failed, Summary: "body"})
		calls := m.heard()
		if want == "" {
			if err != nil || len(calls) != 2 || calls[1] != "POST /there body" {
				t.Errorf("%v, %q", err, calls)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) || len(calls) != 1 {
			t.Errorf("%s: %v, %q", target, err, calls)
		}
	}
	if len(other.heard()) != 0 {
		t.Errorf("another host was told: %q", other.heard())
	}
	round := startMonitor(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) })
	if err := newPing(t, round.URL).Start(t.Context()); err == nil || len(round.heard()) != 3 {
		t.Errorf("%v, %d calls", err, len(round.heard()))
	}
}

func TestPingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := startMonitor(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if err := newPing(t, m.URL).Start(ctx); !errors.Is(err, context.Canceled) || len(m.heard()) != 1 {
		t.Errorf("%v, %d calls", err, len(m.heard()))
	}
	// A server that is broken for longer than the context.
	ctx, cancel = context.WithCancel(t.Context())
	sick := startMonitor(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); cancel() })
	p := newPing(t, sick.URL)
	p.wait = time.Hour
	if err := p.Start(ctx); err == nil {
		t.Error("no error")
	}
}

func TestPingThatHangsIsLeft(t *testing.T) {
	m := startMonitor(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := newPing(t, m.URL)
	p.client.Timeout = 50 * time.Millisecond
	if err := p.Start(t.Context()); err == nil || len(m.heard()) != 3 {
		t.Errorf("%v, %d calls", err, len(m.heard()))
	}
}

func TestNoURLNoPing(t *testing.T) {
	if all, err := Open(nil, nil, mask); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
}

func TestPingSecrets(t *testing.T) {
	const address = "https://hc.example/ping/" + check + "?key=12345678"
	if got := PingSecrets(address); !slices.Equal(got, []string{address, check, "key=12345678"}) {
		t.Errorf("%q", got)
	}
	if PingSecrets("") != nil {
		t.Error("secrets of nothing")
	}
}
