//go:build linux

package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// browser is headless Chromium on a server of pages. What it asks other hosts for goes
// to a proxy, which notes it and answers nothing.
type browser struct {
	pages   map[string]string
	server  *httptest.Server
	mu      sync.Mutex
	asked   []string // of the server
	outside []string // of anybody else
}

func newBrowser(t *testing.T, pages map[string]string) *browser {
	b := &browser{pages: pages}
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked = append(b.asked, r.URL.Path)
		b.mu.Unlock()
		if text, ok := b.pages[strings.TrimPrefix(r.URL.Path, "/")]; ok {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write([]byte(text))
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(b.server.Close)
	return b
}

// open opens the page at a path, and returns what there is of it after it was loaded
// and what it has said on the console.
func (b *browser) open(t *testing.T, path string) (dom, console string) {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.outside = append(b.outside, r.Host)
		b.mu.Unlock()
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()
	// Not t.TempDir: it goes on writing there while it ends.
	dir, err := os.MkdirTemp("/tmp", "chromium")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(t.Context(), tooltest.System(t, "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--enable-logging=stderr", "--proxy-server="+proxy.URL, "--user-data-dir="+dir, "--dump-dom", b.server.URL+"/"+path)
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, said.String())
	}
	var lines []string
	for line := range strings.Lines(said.String()) {
		if strings.Contains(line, ":CONSOLE") {
			lines = append(lines, line)
		}
	}
	return out.String(), strings.Join(lines, "")
}

// frame is what a page looks like in a window of a size, by day or by night.
type frame struct {
	Width            int
	Dark             bool
	Scroll           float64 // how wide it is
	SmallestFont     float64
	Unreadable       []string // text and marks whose colours are too alike
	Cut              []string // text that leaves its box
	Ground           string
	Headings         string
	H1               string
	Names            []string // of jobs
	Scripts, Fetched int
	Hacked           bool
	Stale            string // what it says of its own age
	Articles         int
	Unnamed          int // pictures without a description
}

// look opens a page at both widths, by day and by night.
func (b *browser) look(t *testing.T, name string) ([]frame, string) {
	t.Helper()
	var frames strings.Builder
	for _, width := range []int{390, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			fmt.Fprintf(&frames, `<iframe style="width:%dpx;height:900px;border:0;color-scheme:%s" src="/%s"></iframe>`, width, scheme, name)
		}
	}
	probe, err := os.ReadFile("testdata/probe.js")
	if err != nil {
		t.Fatal(err)
	}
	b.pages["probe"] = "<!doctype html><link rel=icon href=data:,>" + frames.String() + "<pre id=out></pre><script>" + string(probe) + "</script>"
	dom, console := b.open(t, "probe")
	m := regexp.MustCompile(`(?s)<pre id="out">(.*?)</pre>`).FindStringSubmatch(dom)
	var all []frame
	if m == nil || json.Unmarshal([]byte(html.UnescapeString(m[1])), &all) != nil || len(all) != 4 {
		t.Fatalf("the probe found nothing in\n%.3000s\n%s", dom, console)
	}
	for i, f := range all {
		if width := []int{390, 390, 1280, 1280}[i]; f.Width != width || f.Dark != (i%2 == 1) {
			t.Fatalf("window %d is %d wide, dark %v", i, f.Width, f.Dark)
		}
	}
	return all, console
}

func TestInABrowserThePageIsReadable(t *testing.T) {
	storetest.NotQuick(t, "starts Chromium")
	well := Page{Host: "db1", At: time.Now(), Jobs: []Job{made{name: "home", source: "Directory /home", begin: 3, bytes: 100}.job(t)}}
	ages := site(t)
	ages.At = time.Now().Add(-3*24*time.Hour - time.Minute)
	ahead := well
	ahead.At = time.Now().Add(30 * 24 * time.Hour)
	many := site(t)
	for range 30 {
		many.Jobs = append(many.Jobs, many.Jobs[:10]...)
	}
	b := newBrowser(t, map[string]string{
		"ages": render(t, ages), "well": render(t, well), "ahead": render(t, ahead), "empty": render(t, Page{At: time.Now()}), "many": render(t, many), "hostile": render(t, hostile()),
	})
	for name, c := range map[string]struct {
		jobs  int
		h1    string
		stale string
	}{
		"ages":    {10, "3 of 10 jobs need you.", "3 days"},
		"well":    {1, "The only job has its backups.", ""},
		"ahead":   {1, "The only job has its backups.", "ahead"},
		"empty":   {0, "There is no job to look after.", ""},
		"many":    {310, "93 of 310 jobs need you.", "*"},
		"hostile": {len(markup), "", "*"},
	} {
		t.Run(name, func(t *testing.T) {
			frames, console := b.look(t, name)
			if console != "" {
				t.Errorf("it says on the console:\n%s", console)
			}
			for _, f := range frames {
				f.check(t)
				if f.Articles != c.jobs || c.h1 != "" && f.H1 != c.h1 {
					t.Errorf("%d wide: %d jobs, %q; want %d, %q", f.Width, f.Articles, f.H1, c.jobs, c.h1)
				}
				if c.stale != "*" && f.Stale != c.stale {
					t.Errorf("it says that it is %q old, want %q", f.Stale, c.stale)
				}
			}
			if frames[0].Ground == frames[1].Ground {
				t.Errorf("it looks the same by day and by night: %s", frames[0].Ground)
			}
		})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, path := range b.asked {
		if _, ok := b.pages[strings.TrimPrefix(path, "/")]; !ok {
			t.Errorf("a page has fetched %q", path)
		}
	}
	if slices.Contains(b.outside, "outside.example") {
		t.Errorf("a page has called somebody: %q", b.outside)
	}
}

func (f frame) check(t *testing.T) {
	t.Helper()
	about := fmt.Sprintf("%d wide, dark %v", f.Width, f.Dark)
	if f.Scroll > float64(f.Width) {
		t.Errorf("%s: it is %v wide", about, f.Scroll)
	}
	if f.SmallestFont < 12 {
		t.Errorf("%s: text of %v px", about, f.SmallestFont)
	}
	if len(f.Unreadable) > 0 {
		t.Errorf("%s: colours too alike: %q", about, f.Unreadable)
	}
	if len(f.Cut) > 0 {
		t.Errorf("%s: it cuts off %.300q", about, f.Cut)
	}
	if f.Scripts != 1 || f.Fetched != 0 || f.Hacked {
		t.Errorf("%s: %d scripts, %d fetched, hacked %v", about, f.Scripts, f.Fetched, f.Hacked)
	}
	if !regexp.MustCompile(`^H1(H2(H3)*)*$`).MatchString(f.Headings) {
		t.Errorf("%s: the headings are %s", about, f.Headings)
	}
	if f.Unnamed > 0 {
		t.Errorf("%s: %d pictures have no description", about, f.Unnamed)
	}
}

// What a hostile name holds is on the page as text, as it is written.
func TestInABrowserHostileNamesAreText(t *testing.T) {
	storetest.NotQuick(t, "starts Chromium")
	b := newBrowser(t, map[string]string{"hostile": render(t, hostile())})
	frames, _ := b.look(t, "hostile")
	for _, f := range frames {
		for _, text := range markup[:8] {
			if want := short(text, maxName); !slices.Contains(f.Names, want) {
				t.Errorf("no job is called %q, they are %q", want, f.Names)
			}
		}
	}
}

// The checks above can fail: a page whose script or style is not its own says so on
// the console, and one without its policy calls out.
func TestInABrowserThePolicyHolds(t *testing.T) {
	storetest.NotQuick(t, "starts Chromium")
	text := render(t, Page{At: time.Now()})
	call := `<img src="http://outside.example/i"><script>window.hacked=1</script>`
	planted := strings.Replace(text, "<main>", "<main>"+call, 1)
	b := newBrowser(t, map[string]string{
		"planted": planted, "open": strings.Replace(planted, "Content-Security-Policy", "X", 1),
		"changed": strings.Replace(text, "* { box-sizing", "*  { box-sizing", 1),
	})
	if b.pages["changed"] == text || b.pages["open"] == planted || planted == text {
		t.Fatal("nothing was changed")
	}
	for _, c := range []struct {
		name           string
		says, calls, h bool
	}{{"changed", true, false, false}, {"planted", true, false, false}, {"open", false, true, true}} {
		b.outside = nil
		frames, console := b.look(t, c.name)
		b.mu.Lock()
		calls := slices.Contains(b.outside, "outside.example")
		b.mu.Unlock()
		if refused := strings.Contains(console, "Content Security Policy"); refused != c.says || calls != c.calls || frames[0].Hacked != c.h {
			t.Errorf("%s: refused %v, calls %v, hacked %v\n%s", c.name, refused, calls, frames[0].Hacked, console)
		}
	}
}
