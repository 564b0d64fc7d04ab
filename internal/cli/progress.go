package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

// Progress shows on a terminal how far a long transfer is, in one line that never
// mixes with others: what goes through Over takes its place, and it comes back below.
// A nil *Progress shows nothing. It is safe for concurrent use.
type Progress struct {
	w       io.Writer
	program bool // who reads it is a program
	width   func() int
	ticks   <-chan time.Time // nil: a ticker of its own

	// What transfers tell: they never wait for a terminal that somebody has stopped.
	moved, piped atomic.Int64
	before       atomic.Int64 // of moved, what parts that are done have moved
	waiting      atomic.Bool  // nothing is shown at the moment

	mu      sync.Mutex
	t       *transfer // nil = there is none
	drawn   int       // columns of the line that stands there; 0 = none
	partial bool      // somebody else's line has not ended yet
	quit    chan struct{}
	ended   chan struct{}
}

// The ways to show progress.
const (
	progressNever  = "never"
	progressAuto   = "auto" // only on a terminal
	progressAlways = "always"
	progressJSON   = "json" // for programs
)

// drawEvery is how often the line is drawn anew.
const drawEvery = 250 * time.Millisecond

// NewProgress returns a display on w, or nil when mode and w say that there shall be
// none. mode is auto (only if w is a terminal), always, never, or json: then it is lines
// of JSON (ProgressLine) that a program reads.
func NewProgress(w io.Writer, mode string) *Progress {
	if mode == progressNever || mode == progressAuto && !IsTerminal(w) {
		return nil
	}
	return &Progress{w: w, program: mode == progressJSON, width: func() int { return columns(w) }}
}

// columns is the width of a terminal now.
func columns(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if n, _, err := term.GetSize(int(file.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

// Begin begins to show a transfer, from its first byte. label says what it is.
func (p *Progress) Begin(label string) {
	if p == nil {
		return
	}
	p.End()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t = newTransfer(label, time.Now())
	p.moved.Store(0)
	p.piped.Store(0)
	p.before.Store(0)
	p.waiting.Store(false)
	p.quit, p.ended = make(chan struct{}), make(chan struct{})
	go p.keepDrawing(p.quit, p.ended)
}

func (p *Progress) keepDrawing(quit <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	ticks := p.ticks
	if ticks == nil {
		ticker := time.NewTicker(drawEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case now := <-ticks:
			p.change(func(t *transfer) {
				t.sample(now, p.moved.Load(), p.piped.Load())
				p.draw(now)
			})
		case <-quit:
			return
		}
	}
}

// change calls f with the transfer, if there is one.
func (p *Progress) change(f func(*transfer)) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.t != nil {
		f(p.t)
	}
}

// Expect tells how many bytes are to be moved from now on; about, that this is a guess.
func (p *Progress) Expect(bytes int64, about bool) {
	p.change(func(t *transfer) {
		t.total, t.about = bytes, about
		t.samples = []sample{{time.Now(), p.moved.Load()}} // what came before was slow for reasons of its own
	})
}

// Moved counts bytes that have been sent to, or received from, the store. What is to be
// sent once more counts below zero.
func (p *Progress) Moved(n int64) {
	if p != nil {
		p.moved.Add(n)
	}
}

// Piped counts bytes that have come from, or gone on to, the other side: the pipe. How
// much is between the two is shown where that tells more.
func (p *Progress) Piped(n int64) {
	if p != nil {
		p.piped.Add(n)
	}
}

// Report sets both, as a program has told them that does a part of the transfer.
func (p *Progress) Report(l ProgressLine) {
	if p != nil {
		before := p.before.Load()
		p.moved.Store(before + l.Moved)
		p.piped.Store(before + l.Piped)
	}
}

// Part ends the part that Report is about.
func (p *Progress) Part() {
	if p != nil {
		p.before.Store(p.moved.Load())
		p.piped.Store(p.moved.Load())
	}
}

// Pause takes the line away until Resume, so that somebody can be asked.
func (p *Progress) Pause() {
	if p != nil {
		p.waiting.Store(true)
		p.change(func(*transfer) { p.erase() })
	}
}

// Resume ends Pause.
func (p *Progress) Resume() {
	if p != nil {
		p.waiting.Store(false)
	}
}

// End takes the line away for good.
func (p *Progress) End() { p.end(func(*transfer) { p.erase() }) }

// Finish is End, but what has been moved stays to be read.
func (p *Progress) Finish() {
	p.end(func(t *transfer) {
		switch {
		case p.program:
			p.draw(time.Now())
		case t.moved > 0:
			p.erase()
			fmt.Fprintln(p.w, t.summary(time.Now(), p.width()-1))
		}
	})
}

func (p *Progress) end(last func(*transfer)) {
	if p == nil || p.quit == nil {
		return
	}
	close(p.quit)
	<-p.ended
	p.change(func(t *transfer) {
		t.sample(time.Now(), p.moved.Load(), p.piped.Load())
		last(t)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.t, p.quit = nil, nil
}

// ProgressLine is what programs are told, a line of JSON several times a second and at the end.
type ProgressLine struct {
	Event string `json:"event"` // progress
	Moved int64  `json:"moved"` // bytes sent or received
	Piped int64  `json:"piped"` // bytes read from, or written to, the pipe
}

// draw puts the line where it belongs. The caller holds the lock.
func (p *Progress) draw(now time.Time) {
	switch {
	case p.waiting.Load() || p.partial:
		return
	case p.program:
		line, _ := json.Marshal(ProgressLine{"progress", p.t.moved, p.t.piped}) // numbers always can be
		_, _ = p.w.Write(append(line, '\n'))
		return
	}
	p.put(p.t.line(now, p.width()-1))
}

// put writes a line over the one that stands there. The cursor goes back to its
// beginning, where what another process says is best read. A display that cannot be
// written is no failure.
func (p *Progress) put(line string) {
	n := wide(line)
	rest := min(p.drawn, p.width()-1) - n // a terminal that is narrower now has broken the rest
	fmt.Fprintf(p.w, "\r%s%*s\r", line, max(rest, 0), "")
	p.drawn = n
}

// erase takes the line away. The caller holds the lock.
func (p *Progress) erase() {
	if p.drawn > 0 {
		p.put("")
	}
}

// Over returns a writer to w for lines that are not to mix with the display: it makes
// room for them. What is no terminal is returned as it is.
func (p *Progress) Over(w io.Writer) io.Writer {
	if p == nil || !IsTerminal(w) {
		return w
	}
	return &overProgress{p, w}
}

type overProgress struct {
	p *Progress
	w io.Writer
}

func (o *overProgress) Write(b []byte) (int, error) {
	o.p.mu.Lock()
	defer o.p.mu.Unlock()
	o.p.erase()
	if len(b) > 0 {
		o.p.partial = b[len(b)-1] != '\n'
	}
	return o.w.Write(b)
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	if over, ok := stream.(*overProgress); ok {
		stream = over.w
	}
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
