package cli

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows on a terminal how far a long transfer is: bytes, rate,
// chunks and, when the size is known, the time that is left. A nil *Progress
// shows nothing. It is safe for concurrent use.
type Progress struct {
	w      io.Writer
	bar    *progressbar.ProgressBar
	chunks atomic.Int64
}

// NewProgress returns a progress display on w, or nil when mode and w say
// that there shall be none: mode is auto (only if w is a terminal), always or
// never. total is in bytes, -1 if it is not known.
func NewProgress(w io.Writer, mode string, total int64) *Progress {
	if mode == "never" || mode == "auto" && !IsTerminal(w) {
		return nil
	}
	return &Progress{w: w, bar: progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowBytes(true),
		progressbar.OptionShowTotalBytes(true),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionSetWidth(20),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetDescription("0 chunks"),
	)}
}

// Chunk counts a finished chunk of n bytes.
func (p *Progress) Chunk(n int64) {
	if p == nil {
		return
	}
	p.bar.Describe(fmt.Sprintf("%d chunks", p.chunks.Add(1)))
	_ = p.bar.Add64(n) // a display that cannot be written is no failure
}

// Close ends the display's line. What it last showed stays.
func (p *Progress) Close() {
	if p == nil {
		return
	}
	_ = p.bar.Exit()
	if p.chunks.Load() > 0 {
		fmt.Fprintln(p.w)
	}
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
