package guard

import (
	"bytes"
	"strconv"
	"strings"
)

// header is what the fixed fields of a header say.
type header struct {
	name, link string
	kind       byte
	size       int64
}

// The two ways in which GNU tar marks its headers: --format=posix and gnu.
const (
	magicPosix = "ustar\x0000"
	magicGNU   = "ustar  \x00"
)

// kinds are the types of members and of headers before them, in each format.
var kinds = map[string]string{magicPosix: "0123456x", magicGNU: "0123456DSLK"}

// parse reads a header. It takes numbers only as GNU tar writes them: where tar
// did not like a header, it would look for the next one in what follows.
func (s *stream) parse(b *[blockSize]byte) (header, error) {
	magic := string(b[257:265])
	allowed, ok := kinds[magic]
	if !ok {
		return header{}, s.refuse("", "it is not a header of GNU tar")
	}
	if s.magic == "" {
		s.magic = magic
	}
	h := header{name: text(b[:100]), link: text(b[157:257]), kind: b[156]}
	if magic != s.magic {
		return h, s.refuse(h.name, "a header of another format than those before it")
	}
	if !goodSum(b) {
		return h, s.refuse("", "a header with a wrong checksum")
	}
	if strings.IndexByte(allowed, h.kind) < 0 {
		return h, s.refuse(h.name, "a member of type %q", h.kind)
	}
	if h.size, ok = number(b[124:136]); !ok || h.size > maxSize {
		return h, s.refuse(h.name, "a size that cannot be")
	}
	// The beginning of a long name in posix format, which GNU tar puts into a
	// record instead; in its own format the times, which it does not use, and
	// after them what volumes and sparse files need.
	rest := b[345:]
	if magic == magicGNU {
		rest = b[369:]
		if h.kind == 'S' {
			rest = b[369:386]
		}
	}
	if !isZero(rest) {
		return h, s.refuse(h.name, "a header with fields that tar does not write")
	}
	return h, nil
}

func text(field []byte) string {
	s, _, _ := bytes.Cut(field, []byte{0})
	return string(s)
}

// number reads a field of 12 bytes: 11 octal digits and a zero byte, or a binary
// number marked by its first byte.
func number(field []byte) (n int64, ok bool) {
	if field[0] == 0x80 {
		for _, b := range field[1:] {
			if n >= 1<<54 {
				return 0, false
			}
			n = n<<8 | int64(b)
		}
		return n, true
	}
	n, ok = octal(field[:11])
	return n, ok && field[11] == 0
}

// octal reads a field of nothing but digits.
func octal(field []byte) (int64, bool) {
	n, err := strconv.ParseUint(string(field), 8, 62)
	return int64(n), err == nil
}

// goodSum compares a header with the sum of its bytes in it: six octal digits, a
// zero byte and a space.
func goodSum(b *[blockSize]byte) bool {
	field := b[148:156]
	want, ok := octal(field[:6])
	if !ok || field[6] != 0 || field[7] != ' ' {
		return false
	}
	sum := int64(8 * ' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	return sum == want
}
