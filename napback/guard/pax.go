package guard

import (
	"bufio"
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// extended collects what the headers before a member say.
type extended struct {
	keys       []string // of all records, each once
	name, link string
	sparseName string
	size       int64
	realSize   int64
	version    string   // of the way to store a sparse file: "1.0"
	dirs       []uint64 // the directories on a directory's list
}

func (x *extended) any() bool           { return len(x.keys) > 0 }
func (x *extended) has(key string) bool { return slices.Contains(x.keys, key) }
func (x *extended) sparse() bool {
	return x.version == "1.0" && x.has("GNU.sparse.name") && x.has("GNU.sparse.realsize")
}

func (x *extended) anySparse() bool {
	return slices.ContainsFunc(x.keys, func(k string) bool { return strings.HasPrefix(k, "GNU.sparse.") })
}

// long reads a header of GNU's format that holds the next member's name or link.
func (s *stream) long(h header, block []byte, x *extended) error {
	key := map[byte]string{'L': "long name", 'K': "long link"}[h.kind]
	if x.has(key) {
		return s.refuse("", "two headers for a %s", key)
	}
	if h.size < 2 || h.size > maxPath {
		return s.refuse("", "a %s of %d bytes", key, h.size)
	}
	data := make([]byte, h.size)
	if err := s.read(data); err != nil {
		return err
	}
	if bytes.IndexByte(data, 0) != len(data)-1 {
		return s.refuse("", "a %s that does not end where it should", key)
	}
	x.keys = append(x.keys, key)
	if h.kind == 'L' {
		x.name = string(data[:len(data)-1])
	} else {
		x.link = string(data[:len(data)-1])
	}
	if err := errors.Join(s.pass(block), s.pass(data)); err != nil {
		return err
	}
	return s.padding(h.size)
}

// pax reads an extended header, record by record, and passes it on. tar does not
// act on it before the member's own header has come.
func (s *stream) pax(h header, block []byte, x *extended) error {
	if x.any() {
		return s.refuse("", "two extended headers for one member")
	}
	if h.size == 0 || h.size > maxHeader {
		return s.refuse("", "an extended header of %d bytes", h.size)
	}
	if err := s.pass(block); err != nil {
		return err
	}
	for left := h.size; left > 0; {
		n, err := s.record(left, x)
		if err != nil {
			return err
		}
		left -= n
	}
	return s.padding(h.size)
}

// record passes on one record, "LENGTH KEY=VALUE\n", of at most left bytes, and
// returns its length.
func (s *stream) record(left int64, x *extended) (int64, error) {
	digits, err := s.upTo(' ', min(left, 12))
	if err != nil {
		return 0, err
	}
	length, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strconv.FormatInt(length, 10) != digits || length > left {
		return 0, s.refuse("", "an extended header with a record of a wrong length")
	}
	rest := length - int64(len(digits)) - 1
	key, err := s.upTo('=', min(rest, maxEntry))
	if err != nil {
		return 0, err
	}
	rest -= int64(len(key)) + 1
	if rest < 1 {
		return 0, s.refuse("", "an extended header with a record of a wrong length")
	}
	if x.has(key) {
		return 0, s.refuse("", "an extended header with two records %q", key)
	}
	x.keys = append(x.keys, key)
	if len(x.keys) > maxEntry {
		return 0, s.refuse("", "an extended header with too many records")
	}
	if key == "GNU.dumpdir" {
		err = s.dumpdirRecord(rest-1, x)
	} else {
		err = s.value(key, rest-1, x)
	}
	if err != nil {
		return 0, err
	}
	var end [1]byte
	if err := s.read(end[:]); err != nil {
		return 0, err
	}
	if end[0] != '\n' {
		return 0, s.refuse("", "an extended header with a record of a wrong length")
	}
	return length, s.pass(end[:])
}

// upTo passes on a word and the byte after it, which ends it, of at most limit
// bytes together.
func (s *stream) upTo(end byte, limit int64) (string, error) {
	p, err := s.slice(end)
	if err != nil {
		return "", err
	}
	if int64(len(p)) > limit || len(p) < 2 {
		return "", s.refuse("", "an extended header that is not one of GNU tar")
	}
	return string(p[:len(p)-1]), s.pass(p)
}

// slice reads up to the next byte of a kind. What it returns is good until the
// next read.
func (s *stream) slice(end byte) ([]byte, error) {
	p, err := s.in.ReadSlice(end)
	s.pos += int64(len(p))
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, s.refuse("", "an extended header that is not one of GNU tar")
	}
	if err != nil {
		return nil, s.broken(err)
	}
	return p, nil
}

// value judges a record that is not a directory's list, and passes it on. What
// tar takes for a name ends at a zero byte.
func (s *stream) value(key string, n int64, x *extended) error {
	if n > maxValue {
		return s.refuse("", "a record %q of %d bytes", key, n)
	}
	value := make([]byte, n)
	if err := s.read(value); err != nil {
		return err
	}
	text := string(value)
	binary := strings.HasPrefix(key, "SCHILY.xattr.")
	if !binary && strings.IndexByte(text, 0) >= 0 {
		return s.refuse("", "a record %q with a zero byte", key)
	}
	good := true
	switch key {
	case "path":
		x.name, good = text, text != ""
	case "linkpath":
		x.link, good = text, text != ""
	case "size":
		x.size, good = decimal(text)
	case "GNU.sparse.name":
		x.sparseName, good = text, text != ""
	case "GNU.sparse.realsize":
		x.realSize, good = decimal(text)
	case "GNU.sparse.major", "GNU.sparse.minor":
		// In this order, as tar writes them.
		if x.version != "" {
			text = x.version + "." + text
		}
		x.version = text
	case "mtime", "atime", "ctime", "uid", "gid", "uname", "gname",
		"SCHILY.acl.access", "SCHILY.acl.default", "RHT.security.selinux":
	default:
		good = binary
	}
	if !good {
		return s.refuse("", "a record %q that tar does not write", key)
	}
	return s.pass(value)
}

// decimal reads a size as tar writes it.
func decimal(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && n <= maxSize && strconv.FormatInt(n, 10) == text
}
