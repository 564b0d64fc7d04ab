package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// blocked is a terminal that somebody has stopped (Ctrl-S).
type blocked struct {
	entered chan struct{}
	release chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	b.entered <- struct{}{}
	<-b.release
	return len(p), nil
}

func TestATerminalThatIsStoppedStopsNoTransfer(t *testing.T) {
	w := &blocked{make(chan struct{}), make(chan struct{})}
	p := NewProgress(w, "always")
	ticks := make(chan time.Time, 1)
	p.ticks = ticks
	p.Begin("x")
	ticks <- time.Now()
	<-w.entered // it is being drawn, and stands
	p.Moved(5)
	p.Piped(5)
	p.Report(ProgressLine{Moved: 7, Piped: 7})
	p.Part()
	p.Resume()
	go func() {
		for range w.entered {
		}
	}()
	close(w.release)
	p.End()
}

func TestPartsAddUpAndARepeatedOneCountsOnce(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, "json")
	p.ticks = make(chan time.Time) // no ticks
	p.Begin("x")
	p.Report(ProgressLine{Moved: 10, Piped: 4})
	p.Report(ProgressLine{Moved: 3, Piped: 1}) // the part has begun again
	p.Report(ProgressLine{Moved: 12, Piped: 12})
	p.Part()
	p.Report(ProgressLine{Moved: 5, Piped: 2})
	p.Finish()
	var got ProgressLine
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != (ProgressLine{"progress", 17, 14}) {
		t.Errorf("%s: %v", out.String(), err)
	}
	p.Begin("y")
	p.Finish()
	if !strings.HasSuffix(out.String(), `"moved":0,"piped":0}`+"\n") {
		t.Error(out.String())
	}
}

func TestALineThatIsOverwrittenLeavesNothing(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, "always")
	p.ticks = make(chan time.Time) // no ticks
	width := 30
	p.width = func() int { return width }
	p.Begin("x")
	p.put("0123456789")
	p.put("01234")
	width = 8 // what was longer has been broken by the terminal
	p.put("0123456")
	p.put("0")
	p.erase()
	p.erase()
	if got, want := out.String(), "\r0123456789\r\r01234     \r\r0123456\r\r0      \r\r \r"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.End()
	for _, mode := range []string{"never", "auto"} {
		if NewProgress(&out, mode) != nil {
			t.Errorf("%s shows progress where there is no terminal", mode)
		}
	}
	var none *Progress
	none.Begin("x")
	none.Moved(1)
	none.Piped(1)
	none.Report(ProgressLine{})
	none.Part()
	none.Pause()
	none.Resume()
	none.Expect(1, true)
	none.Finish()
	none.End()
	if none.Over(&out) != &out {
		t.Error("a display that is none stands between")
	}
}
