// Package dumpdir reads what a GNU tar archive made with --listed-incremental
// says of its source: beside the files that it holds, it lists for every
// directory what the directory held, so that a file that is gone can be told
// from one that has not changed.
//
// tar can print these lists, but not so that names with line ends in them could
// be told apart, and the standard library's reader refuses the header of a
// directory with more than about 50,000 files. So this package reads headers
// itself: those of POSIX.1-2001 (pax) with the records path, linkpath, size,
// GNU.sparse.name, and GNU.dumpdir (GNU tar manual, "Dumpdir"), and those of
// GNU's older format (types L, K and D). The contents of files are skipped.
//
// Unlike tar, it takes an archive for whole only if it ends with its end
// marker: tar lists one that was cut between two members without an error.
package dumpdir

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrFormat is wrapped by errors about an archive that is damaged or cut.
var ErrFormat = errors.New("not a whole tar archive")

// Member is a member of an archive.
type Member struct {
	Name string // as stored, without slashes at its end
	Type byte   // as in the header: '0' file, '5' directory, '2' symbolic link, '1' hard link, ...
	Link string // target of a link
	Size int64  // bytes of contents in the archive
	// Contents are what a directory held; nil for other members, and for
	// directories of an archive that is not incremental.
	Contents []Item
}

// IsDir reports whether the member is a directory.
func (m *Member) IsDir() bool { return m.Type == typeDir || m.Type == typeDump }

// Item is an entry of a directory.
type Item struct {
	Name string
	Kind byte // Stored, Unchanged or Dir; others are tar's own notes on renames
}

// The kinds of items.
const (
	Stored    = 'Y' // the archive holds it
	Unchanged = 'N' // an earlier archive holds it
	Dir       = 'D' // a directory
)

const (
	blockSize = 512
	maxHeader = 1 << 30 // of an extended header, in bytes
	maxValue  = 1 << 20 // of what one says, but for a directory's list
	maxSize   = 1 << 60 // of a member, far from overflows
	// maxList and maxItems bound what is kept of one directory's list, in
	// bytes and entries.
	maxList  = 128 << 20
	maxItems = 4 << 20

	typeDir    = '5'
	typeDump   = 'D' // a directory with its list as contents
	typeSparse = 'S' // a sparse file of GNU's format
	typePax    = 'x'
	typeGlobal = 'g'
	typeName   = 'L' // the next member's name
	typeLink   = 'K' // the next member's link
)

// ErrTooLarge is wrapped by errors about a directory with more entries than can
// be kept in memory.
var ErrTooLarge = errors.New("more than can be listed")

// Read calls each for every member of an archive, in order. It reads r to its
// end. Without lists, no member has Contents, and memory is bounded by little;
// with them, by the largest directory, and that by ErrTooLarge. Errors that wrap
// ErrFormat tell that the archive is not whole; errors of each end it and are
// returned as they are.
func Read(r io.Reader, lists bool, each func(*Member) error) error {
	in := &reader{in: bufio.NewReaderSize(r, 1<<20), lists: lists}
	for {
		m, err := in.next()
		if err == io.EOF {
			return in.drain()
		}
		if err != nil {
			return err
		}
		if err := each(m); err != nil {
			return err
		}
	}
}

type reader struct {
	in    *bufio.Reader
	lists bool  // are kept
	at    int64 // of the header at hand, for messages
	// pos counts the bytes that were read.
	pos int64
}

// next returns the next member, or io.EOF after the end marker. Its contents
// have been skipped.
func (r *reader) next() (*Member, error) {
	var extra extended
	for {
		r.at = r.pos
		h, err := r.header()
		if err != nil {
			return nil, err
		}
		switch h.kind {
		case typePax:
			if err := r.records(h.size, &extra); err != nil {
				return nil, r.damaged(err)
			}
			continue
		case typeGlobal, typeName, typeLink:
			data, err := r.data(h.size, maxValue)
			if err != nil {
				return nil, r.damaged(err)
			}
			switch h.kind {
			case typeName:
				extra.name = text(data)
			case typeLink:
				extra.link = text(data)
			}
			if err := r.skip(padded(h.size) - h.size); err != nil {
				return nil, r.damaged(err)
			}
			continue
		}
		return r.member(h, &extra)
	}
}

// member puts a member together and skips its contents.
func (r *reader) member(h header, extra *extended) (*Member, error) {
	m := &Member{Name: h.name, Type: h.kind, Link: h.link, Size: h.size}
	if extra.name != "" {
		m.Name = extra.name
	}
	if extra.link != "" {
		m.Link = extra.link
	}
	if extra.hasSize {
		m.Size = extra.size
	}
	if m.Type == 0 {
		m.Type = '0'
	}
	if m.Type == '0' && strings.HasSuffix(m.Name, "/") {
		m.Type = typeDir // as before POSIX
	}
	if trimmed := strings.TrimRight(m.Name, "/"); trimmed != "" {
		m.Name = trimmed
	}
	list := extra.list
	switch m.Type {
	case '1', '2', '3', '4', typeDir, '6':
		// Whatever the header says, no contents follow. A hard link's size
		// is that of the file.
		m.Size = 0
	case typeDump:
		var err error
		if list, err = r.list(m.Size); err == nil {
			err = r.skip(padded(m.Size) - m.Size)
		}
		if err != nil {
			return nil, r.damaged(err)
		}
		extra.hasList = true
		m.Size = 0
	}
	if extra.hasList && m.IsDir() && r.lists {
		var err error
		if m.Contents, err = items(list); err != nil {
			return nil, r.damaged(err)
		}
	}
	if m.Size > maxSize {
		return nil, r.damaged(fmt.Errorf("a member of %d bytes", m.Size))
	}
	if h.more {
		if err := r.skipRegions(); err != nil {
			return nil, r.damaged(err)
		}
	}
	if err := r.skip(padded(m.Size)); err != nil {
		return nil, r.damaged(err)
	}
	return m, nil
}

// skipRegions skips the blocks of regions after the header of a sparse file.
func (r *reader) skipRegions() error {
	var block [blockSize]byte
	for more := true; more; more = block[504] != 0 {
		if err := r.full(block[:]); err != nil {
			return err
		}
	}
	return nil
}

// header is what the fixed fields of a header say.
type header struct {
	name, link string
	kind       byte
	size       int64
	more       bool // blocks with more regions of a sparse file follow
}

// header reads a header, or returns io.EOF at the end marker, two blocks of
// zeros.
func (r *reader) header() (header, error) {
	var block [blockSize]byte
	if err := r.full(block[:]); err != nil {
		return header{}, r.damaged(err)
	}
	if isZero(block[:]) {
		if err := r.full(block[:]); err != nil {
			return header{}, r.damaged(err)
		}
		if !isZero(block[:]) {
			return header{}, r.damaged(errors.New("half of an end marker"))
		}
		return header{}, io.EOF
	}
	if err := checkSum(&block); err != nil {
		return header{}, r.damaged(err)
	}
	size, err := number(block[124:136])
	if err != nil {
		return header{}, r.damaged(err)
	}
	h := header{name: text(block[:100]), link: text(block[157:257]), kind: block[156], size: size}
	// ustar has the beginning of a long name apart; GNU's format has other
	// things there.
	if string(block[257:263]) == "ustar\x00" {
		if prefix := text(block[345:500]); prefix != "" {
			h.name = prefix + "/" + h.name
		}
	} else {
		h.more = h.kind == typeSparse && block[482] != 0
	}
	return h, nil
}

// drain reads what follows the end marker: zeros that fill tar's last record.
func (r *reader) drain() error {
	var block [blockSize]byte
	for {
		n, err := io.ReadFull(r.in, block[:])
		if !isZero(block[:n]) {
			return r.damaged(errors.New("data after the end marker"))
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (r *reader) full(p []byte) error {
	n, err := io.ReadFull(r.in, p)
	r.pos += int64(n)
	return err
}

// data reads size bytes, at most limit.
func (r *reader) data(size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, fmt.Errorf("%w: %d bytes of a header", ErrTooLarge, size)
	}
	var b bytes.Buffer // grows with what is there, not with what is claimed
	n, err := io.CopyN(&b, r.in, size)
	r.pos += n
	return b.Bytes(), err
}

// list reads a directory's list, if it is wanted.
func (r *reader) list(size int64) ([]byte, error) {
	if !r.lists {
		return nil, r.skip(size)
	}
	return r.data(size, maxList)
}

// records reads the records of a pax header: each is "LENGTH KEY=VALUE\n".
func (r *reader) records(size int64, x *extended) error {
	if size > maxHeader {
		return fmt.Errorf("%w: %d bytes of a header", ErrTooLarge, size)
	}
	for left := size; left > 0; {
		digits, err := r.word(' ', left)
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > left {
			return errors.New("a pax record of a wrong length")
		}
		left -= n
		key, err := r.word('=', n)
		if err != nil {
			return err
		}
		n -= int64(len(digits)) + int64(len(key)) + 3
		if n < 0 {
			return errors.New("a pax record of a wrong length")
		}
		var value []byte
		if key == "GNU.dumpdir" {
			value, err = r.list(n)
		} else {
			value, err = r.data(n, maxValue)
		}
		if err != nil {
			return err
		}
		if end, err := r.in.ReadByte(); err != nil || end != '\n' {
			return cmp.Or(err, errors.New("a pax record of a wrong length"))
		}
		r.pos++
		if err := x.add(key, value); err != nil {
			return err
		}
	}
	return r.skip(padded(size) - size)
}

// word reads what is before a byte.
func (r *reader) word(end byte, limit int64) (string, error) {
	p, err := r.in.ReadSlice(end)
	r.pos += int64(len(p))
	switch {
	case errors.Is(err, bufio.ErrBufferFull) || err == nil && int64(len(p)) > limit:
		return "", errors.New("a pax record without a length or a value")
	case err != nil:
		return "", err
	}
	return string(p[:len(p)-1]), nil
}

func (r *reader) skip(n int64) error {
	done, err := io.CopyN(io.Discard, r.in, n)
	r.pos += done
	return err
}

// damaged tells where the archive is wrong, and how. The error of a stream that
// cannot be read stays in the chain.
func (r *reader) damaged(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends after %d bytes, without an end marker", ErrFormat, r.pos)
	}
	return fmt.Errorf("%w: at byte %d: %w", ErrFormat, r.at, err)
}
