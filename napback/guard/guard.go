package guard

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"napback/internal/cli"
)

// Policy is what an archive has to keep to.
type Policy struct {
	// Source is the absolute path of the directory that the archive was made
	// of. Nothing outside of it may be in the archive.
	Source string
	// NotDirs are paths of members that must be no directories: what is on
	// disk under their names is none and would be followed or kept, or their
	// contents are going to be extracted under another name. They are as in
	// the archive, without the leading slash or ./ and without one at the end.
	NotDirs []string
}

const (
	blockSize  = 512
	recordSize = 20 * blockSize // what tar reads at once
	bufferSize = 1 << 20

	// maxDirs bounds the directories of an archive, and so the guard's memory.
	maxDirs = 8 << 20
	// maxHeader bounds an extended header, in bytes: tar takes all of it into
	// memory. A directory with ten million files needs less.
	maxHeader = 1 << 30
	// maxValue bounds a record that is not a directory's list, and a long name.
	maxValue = 1 << 20
	maxSize  = 1 << 60 // of a member, far from overflows
	maxPath  = 1 << 16
	maxEntry = 1 << 12 // of a directory's list; names have 255 bytes
)

// Copy copies a tar archive from r to w, as far as it keeps to the policy. It
// reads r to its end. What it refuses, and an archive that is damaged or cut, is
// an error with the code cli.Integrity.
func Copy(w io.Writer, r io.Reader, p Policy) error {
	s := &stream{in: bufio.NewReaderSize(r, bufferSize), out: bufio.NewWriterSize(w, bufferSize), policy: p, names: newNames(p.Source)}
	return s.members()
}

// Visitor takes what Walk reads. Its errors end Walk and are returned as they are.
type Visitor struct {
	// Item takes an entry of a directory's list: a letter, a name and a zero byte,
	// good until it returns. It comes before its directory. nil: none is wanted.
	Item func(entry []byte) error
	// Member takes a member, once its contents have been passed over.
	Member func(name, link string, kind byte) error
}

// Walk reads an archive as Copy does, and refuses what it refuses, but for members
// in the wrong place: it is for an archive that has come through Copy. It needs
// memory for one header at a time.
func Walk(r io.Reader, v Visitor) error {
	s := &stream{in: bufio.NewReaderSize(r, bufferSize), out: bufio.NewWriterSize(io.Discard, bufferSize), visitor: &v}
	return s.members()
}

func (s *stream) members() error {
	for {
		more, err := s.member()
		if err == nil && !more {
			err = s.finish()
		}
		if err != nil || !more {
			return err
		}
	}
}

// stream is an archive that goes by.
type stream struct {
	in     *bufio.Reader
	out    *bufio.Writer
	policy Policy
	names  *names
	// visitor is who Walk reads for. There are no names then.
	visitor *Visitor
	magic   string // of the first header; all others have the same
	pos     int64  // bytes that were read
	at      int64  // of the header at hand
}

// refuse is the end of a stream: member, if not "", is what is refused.
func (s *stream) refuse(member, format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	if member != "" {
		return cli.Errorf(cli.Integrity, "refused: member %q: %s", member, why)
	}
	return cli.Errorf(cli.Integrity, "refused: at byte %d of the archive: %s", s.at, why)
}

// broken wraps errors of reading.
func (s *stream) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return cli.Errorf(cli.Integrity, "the archive ends after %d bytes, without its end marker", s.pos)
	}
	return fmt.Errorf("read the archive: %w", err)
}

// read reads len(p) bytes and passes nothing on.
func (s *stream) read(p []byte) error {
	n, err := io.ReadFull(s.in, p)
	s.pos += int64(n)
	if err != nil {
		return s.broken(err)
	}
	return nil
}

// pass hands judged bytes to tar.
func (s *stream) pass(p []byte) error {
	if _, err := s.out.Write(p); err != nil {
		return fmt.Errorf("pass the archive on: %w", err)
	}
	return nil
}

// copy passes n bytes on unseen: contents.
func (s *stream) copy(n int64) error {
	for n > 0 {
		if s.in.Buffered() == 0 {
			if _, err := s.in.Peek(1); err != nil {
				return s.broken(err)
			}
		}
		p, _ := s.in.Peek(int(min(n, int64(s.in.Buffered()))))
		if err := s.pass(p); err != nil {
			return err
		}
		_, _ = s.in.Discard(len(p))
		n -= int64(len(p))
		s.pos += int64(len(p))
	}
	return nil
}

// padding passes on the zeros that fill the last block of n bytes. tar skips
// them unseen.
func (s *stream) padding(n int64) error { return s.copy(padded(n) - n) }

func padded(n int64) int64 { return (n + blockSize - 1) / blockSize * blockSize }

// member passes a member on, with the headers before it. It returns false at
// the end marker.
func (s *stream) member() (more bool, err error) {
	var x extended
	for {
		s.at = s.pos
		var block [blockSize]byte
		if err := s.read(block[:]); err != nil {
			return false, err
		}
		if isZero(block[:]) {
			if x.any() {
				return false, s.refuse("", "an extended header without a member")
			}
			return false, s.end(block[:])
		}
		h, err := s.parse(&block)
		if err != nil {
			return false, err
		}
		switch h.kind {
		case 'x':
			err = s.pax(h, block[:], &x)
		case 'L', 'K':
			err = s.long(h, block[:], &x)
		default:
			return true, s.entry(h, block[:], &x)
		}
		if err != nil {
			return false, err
		}
	}
}

// end passes on the end marker, of which the first block is at hand.
func (s *stream) end(block []byte) error {
	if err := s.pass(block); err != nil {
		return err
	}
	if err := s.read(block); err != nil {
		return err
	}
	if !isZero(block) {
		return s.refuse("", "half of an end marker")
	}
	return s.pass(block)
}

// finish checks that nothing follows the end marker but the zeros that fill
// tar's last record, and fills that.
func (s *stream) finish() error {
	fill := (recordSize - s.pos%recordSize) % recordSize
	if err := s.pass(make([]byte, fill)); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("pass the archive on: %w", err)
	}
	s.at = s.pos
	for {
		p, err := s.in.Peek(1)
		if err == nil {
			p, _ = s.in.Peek(s.in.Buffered())
		}
		if !isZero(p) {
			return s.refuse("", "data after the end marker")
		}
		_, _ = s.in.Discard(len(p))
		s.pos += int64(len(p))
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.broken(err)
		}
	}
}

// entry judges the header of a member and passes it and its contents on.
func (s *stream) entry(h header, block []byte, x *extended) error {
	name, link, size := h.name, h.link, h.size
	if x.has("path") || x.has("long name") {
		name = x.name
	}
	if x.has("GNU.sparse.name") {
		name = x.sparseName
	}
	if x.has("linkpath") || x.has("long link") {
		link = x.link
	}
	if x.has("size") {
		size = x.size
	}
	m := member{name: name, link: link, kind: h.kind, size: size, dirs: x.dirs}
	if err := s.judge(&m, x); err != nil {
		return err
	}
	if err := s.pass(block); err != nil {
		return err
	}
	if err := s.contents(&m, block, x); err != nil || s.visitor == nil {
		return err
	}
	return s.visitor.Member(m.name, m.link, m.kind)
}

// contents passes on what follows a member's header, the block.
func (s *stream) contents(m *member, block []byte, x *extended) error {
	switch {
	case m.kind == 'D':
		return s.dumpdir(m)
	case m.kind == 'S':
		return s.oldSparse(m, block)
	case x.sparse():
		return s.sparse(m, x.realSize)
	}
	if err := s.copy(m.size); err != nil {
		return err
	}
	return s.padding(m.size)
}

// member is one whose headers have been read.
type member struct {
	name, link string
	kind       byte
	size       int64    // of its contents in the archive
	dirs       []uint64 // what its list has as directories
	key        uint64   // its number, if it is a directory
}

// judge decides on a member, given what came before it.
func (s *stream) judge(m *member, x *extended) error {
	if m.name == "" {
		return s.refuse("", "a member without a name")
	}
	isDir := m.kind == '5' || m.kind == 'D'
	if s.visitor != nil {
		if why := m.oddity(x, isDir); why != "" {
			return s.refuse(m.name, "%s", why)
		}
		return nil
	}
	parts, why := s.names.parts(m.name, isDir)
	if why == "" {
		why = m.oddity(x, isDir)
	}
	if why == "" && m.kind == '1' {
		if target, bad := s.names.parts(m.link, false); bad != "" {
			why = fmt.Sprintf("its hard link to %q: %s", m.link, bad)
		} else if bad := s.names.below(target); bad != "" {
			why = fmt.Sprintf("its hard link to %q: %s", m.link, bad)
		}
	}
	if why == "" && isDir && slices.Contains(s.policy.NotDirs, plain(m.name)) {
		why = "it is a directory, and must not be one here"
	}
	if why == "" {
		m.key, why = s.names.take(parts, isDir)
	}
	if why == "" && isDir {
		why = s.names.list(m.key, m.dirs)
	}
	if why != "" {
		return s.refuse(m.name, "%s", why)
	}
	return nil
}

// oddity returns what our tar would not have written, or "".
func (m *member) oddity(x *extended, isDir bool) string {
	linked := m.kind == '1' || m.kind == '2'
	switch {
	case linked && m.link == "":
		return "a link to nothing"
	case !linked && (m.link != "" || x.has("linkpath") || x.has("long link")):
		return "it is no link and has a target"
	case m.kind != '0' && m.kind != 'D' && m.kind != 'S' && m.size != 0:
		return "contents where there can be none"
	case m.size > maxSize:
		return "it is too large"
	case x.has("GNU.dumpdir") && m.kind != '5':
		return "it is no directory and has the list of one"
	case x.anySparse() && (m.kind != '0' || !x.sparse()):
		return "it is not sparse in the way that tar makes it"
	case !isDir && m.kind != '0' && m.kind != 'S' && x.has("size"):
		return "it has a size of contents that it cannot have"
	}
	return ""
}

func isZero(p []byte) bool { return len(bytes.TrimLeft(p, "\x00")) == 0 }
