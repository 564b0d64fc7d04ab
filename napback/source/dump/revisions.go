package dump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"napback/internal/cli"
)

// revisions reads a Subversion dump: blocks of headers, each followed by an
// empty line and as many bytes as its Content-length says. It is whole if it
// ends between two blocks and holds the expected revisions, one after the other.
// (The format is described in Subversion's notes/dump-load-format.txt.)
type revisions struct {
	next, last int64 // the revisions that are still to come
	open       bool  // they are not known: the first that comes is next, and any can be the last
	first      int64 // the first that came; -1 = none yet
	body       int64 // Content-length of the block at hand
}

func newRevisions(text string) (*revisions, error) {
	r := &revisions{first: -1}
	var end string
	if n, _ := fmt.Sscanf(text, "%d:%d%s", &r.next, &r.last, &end); n != 2 || r.next < 0 || r.last < r.next {
		return nil, cli.UsageErrorf("revisions %q: want FROM:TO", text)
	}
	return r, nil
}

// check bounds a header line, which holds a path at most, by in's buffer.
func (r *revisions) check(in *bufio.Reader) error {
	for inBlock := false; ; {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return errors.New("this is no dump of svnadmin: a line has no end")
		case err == nil && len(line) > 1:
			inBlock = true
			err = r.header(line[:len(line)-1])
		case err == nil && inBlock:
			inBlock = false
			if n, _ := io.CopyN(io.Discard, in, r.body); n < r.body {
				return r.cutShort()
			}
			r.body = 0
		case err == nil:
		case len(line) > 0 || inBlock:
			return r.cutShort()
		case r.open && r.first >= 0:
			return nil
		case r.open:
			return errors.New("the dump holds no revision")
		case r.next <= r.last:
			return fmt.Errorf("the dump was cut short: it ends before revision %d of %d", r.next, r.last)
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *revisions) cutShort() error {
	return fmt.Errorf("the dump was cut short in revision %d", max(r.next-1, 0))
}

// header takes a line of a block.
func (r *revisions) header(line []byte) (err error) {
	name, value, ok := bytes.Cut(line, []byte(": "))
	switch {
	case !ok:
		return fmt.Errorf("this is no dump of svnadmin: %q", cut(line))
	case string(name) == "Content-length":
		r.body, err = number(value)
	case string(name) == "Revision-number":
		var n int64
		n, err = number(value)
		if r.first < 0 {
			r.first = n
			if r.open {
				r.next, r.last = n, math.MaxInt64
			}
		}
		if err == nil && (n != r.next || n > r.last) {
			err = fmt.Errorf("the dump has revision %d where %d should come", n, r.next)
		}
		r.next++
	}
	return err
}

func number(value []byte) (int64, error) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 { // to which 1 can be added
		return 0, fmt.Errorf("this is no dump of svnadmin: %q is no number", cut(value))
	}
	return n, nil
}

func cut(b []byte) []byte { return b[:min(len(b), 40)] }
