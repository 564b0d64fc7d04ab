package dump

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"napback/internal/cli"
)

// revisions reads a Subversion dump: blocks of headers, each followed by an
// empty line and as many bytes as its Content-length says. It is whole if it
// ends between two blocks and holds the expected revisions, one after the other.
// (The format is described in Subversion's notes/dump-load-format.txt.)
type revisions struct {
	next, last int64 // the revisions that are still to come
	line       []byte
	headers    bool  // inside a block of headers
	body       int64 // Content-length of the block at hand
	skip       int64 // bytes of a body that are still to come
	err        error // the first thing that was wrong
}

// maxHeader bounds a header line, in bytes: it holds a path at most.
const maxHeader = 1 << 20

func newRevisions(text string) (*revisions, error) {
	r := &revisions{}
	var end string
	if n, _ := fmt.Sscanf(text, "%d:%d%s", &r.next, &r.last, &end); n != 2 || r.next < 0 || r.last < r.next {
		return nil, cli.UsageErrorf("revisions %q: want FROM:TO", text)
	}
	return r, nil
}

func (r *revisions) take(p []byte) {
	for len(p) > 0 && r.err == nil {
		if r.skip > 0 {
			n := min(r.skip, int64(len(p)))
			r.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			r.line = append(r.line, p...)
			if len(r.line) > maxHeader {
				r.err = errors.New("this is no dump of svnadmin: a line has no end")
			}
			return
		}
		line := p[:end]
		if len(r.line) > 0 {
			r.line = append(r.line, line...)
			line = r.line
		}
		r.header(line)
		r.line = r.line[:0]
		p = p[end+1:]
	}
}

// header takes a line outside of bodies.
func (r *revisions) header(line []byte) {
	if len(line) == 0 {
		if r.headers {
			r.headers, r.skip, r.body = false, r.body, 0
		}
		return
	}
	r.headers = true
	name, value, ok := bytes.Cut(line, []byte(": "))
	switch {
	case !ok:
		r.err = fmt.Errorf("this is no dump of svnadmin: %q", cut(line))
	case string(name) == "Content-length":
		r.body = r.number(value)
	case string(name) == "Revision-number":
		if n := r.number(value); r.err == nil && (n != r.next || n > r.last) {
			r.err = fmt.Errorf("the dump has revision %d where %d should come", n, r.next)
		}
		r.next++
	}
}

func (r *revisions) number(value []byte) int64 {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 {
		r.err = fmt.Errorf("this is no dump of svnadmin: %q is no number", cut(value))
	}
	return n
}

func cut(b []byte) []byte { return b[:min(len(b), 40)] }

func (r *revisions) whole() error {
	switch {
	case r.err != nil:
		return r.err
	case r.skip > 0 || len(r.line) > 0 || r.headers:
		return fmt.Errorf("the dump was cut short in revision %d", max(r.next-1, 0))
	case r.next <= r.last:
		return fmt.Errorf("the dump was cut short: it ends before revision %d of %d", r.next, r.last)
	}
	return nil
}
