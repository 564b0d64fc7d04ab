package chain

import (
	"bytes"
	"sync"
)

const (
	tailLines = 50 // kept for the report
	// What is longer is cut. The longest path has 4096 bytes, which tar may
	// write as four each.
	lineBytes = 20 << 10
)

// tail takes a stage's stderr, cuts it into lines, passes them on and keeps the
// last ones. Memory is bounded whatever the stage writes.
type tail struct {
	aside func(line string) bool // takes lines that are for a program, and are not kept; nil = nobody
	emit  func(line string)      // gets each other line; nil = nobody
	mu    *sync.Mutex            // held while these run: one for all stages of a chain

	line  []byte // the line that has not ended yet
	cut   bool   // the line is longer than lineBytes
	lines []string
}

// Write takes a piece of stderr. It never fails: a stage must not die because
// nobody can keep its messages.
func (t *tail) Write(p []byte) (int, error) {
	for rest, ended := p, true; ; {
		var piece []byte
		piece, rest, ended = bytes.Cut(rest, []byte("\n"))
		if room := lineBytes - len(t.line); len(piece) > room {
			t.cut, piece = true, piece[:room]
		}
		t.line = append(t.line, piece...)
		if !ended {
			return len(p), nil
		}
		t.flush()
	}
}

// flush ends the current line.
func (t *tail) flush() {
	line := string(bytes.TrimSuffix(t.line, []byte("\r")))
	if t.cut {
		line += "..."
	}
	t.line, t.cut = t.line[:0], false
	if t.isAside(line) {
		return
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
	if t.emit != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.emit(line)
	}
}

func (t *tail) isAside(line string) bool {
	if t.aside == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.aside(line)
}

// close passes on what came after the last line end.
func (t *tail) close() {
	if len(t.line) > 0 || t.cut {
		t.flush()
	}
}
