package dumpdir

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// extended collects what the headers before a member say.
type extended struct {
	name, link string
	sparseName string
	size       int64
	hasSize    bool
	list       []byte
	hasList    bool
}

// add takes what a pax record says.
func (x *extended) add(key string, value []byte) error {
	switch key {
	case "path":
		if x.sparseName == "" {
			x.name = string(value)
		}
	case "GNU.sparse.name":
		// The path is then one that older programs show.
		x.sparseName = string(value)
		x.name = x.sparseName
	case "linkpath":
		x.link = string(value)
	case "size":
		n, err := strconv.ParseUint(string(value), 10, 63)
		if err != nil {
			return fmt.Errorf("size %q", value)
		}
		x.size, x.hasSize = int64(n), true
	case "GNU.dumpdir":
		x.list, x.hasList = value, true
	}
	return nil
}

// items reads a directory's list: each entry a letter, a name and a zero byte,
// and another zero byte at the end.
func items(list []byte) ([]Item, error) {
	n := bytes.Count(list, []byte{0})
	if n > maxItems {
		return nil, fmt.Errorf("%w: a directory of %d entries", ErrTooLarge, n)
	}
	all := make([]Item, 0, max(n-1, 0))
	for list := string(list); ; { // the names share its memory
		entry, rest, ok := strings.Cut(list, "\x00")
		switch {
		case !ok && len(entry) == 0:
			return all, nil
		case !ok:
			return nil, errors.New("a directory's list is cut")
		case len(entry) == 0:
			return all, nil
		}
		all = append(all, Item{Name: entry[1:], Kind: entry[0]})
		list = rest
	}
}

func padded(n int64) int64 { return (n + blockSize - 1) / blockSize * blockSize }

func isZero(p []byte) bool { return len(bytes.TrimLeft(p, "\x00")) == 0 }

func text(field []byte) string {
	s, _, _ := bytes.Cut(field, []byte{0})
	return string(s)
}

// number reads octal digits, or, as GNU writes large ones, a binary number
// marked by its first bit.
func number(field []byte) (int64, error) {
	if field[0]&0x80 != 0 {
		var n uint64
		for i, b := range field {
			if i == 0 {
				b &= 0x7f
			}
			if n>>55 != 0 {
				return 0, errors.New("a size that is too large")
			}
			n = n<<8 | uint64(b)
		}
		return int64(n), nil
	}
	digits := strings.Trim(text(field), " ")
	if digits == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(digits, 8, 62)
	if err != nil {
		return 0, fmt.Errorf("a size of %q", digits)
	}
	return int64(n), nil
}

// checkSum compares a header with the sum of its bytes in it.
func checkSum(block *[blockSize]byte) error {
	want, err := number(block[148:156])
	if err != nil {
		return errors.New("a header without a checksum")
	}
	var sum int64
	for i, b := range block {
		if i >= 148 && i < 156 {
			b = ' '
		}
		sum += int64(b)
	}
	if sum != want {
		return errors.New("a header with a wrong checksum")
	}
	return nil
}
