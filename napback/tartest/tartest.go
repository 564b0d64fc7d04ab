// Package tartest makes tar archives for tests, byte by byte: also such as no
// tar writes.
package tartest

import (
	"bytes"
	"fmt"
	"strings"
)

const blockSize = 512

// Archive is a tar archive in the making.
type Archive struct {
	bytes.Buffer
	// GNU makes headers of --format=gnu, not of posix.
	GNU bool
}

// Header is what a header says.
type Header struct {
	Name, Link string
	Type       byte
	Mode       int64
	Size       int64
	// Change, if not nil, may change the block before its sum is made.
	Change func(block []byte)
}

// Block writes a header alone.
func (a *Archive) Block(h Header) {
	b := make([]byte, blockSize)
	copy(b[:100], h.Name)
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	copy(b[100:], fmt.Sprintf("%07o\x000000000\x000000000\x00", h.Mode))
	copy(b[124:], fmt.Sprintf("%011o\x00%011o\x00", h.Size, 1700000000))
	b[156] = h.Type
	copy(b[157:257], h.Link)
	magic := "ustar\x0000"
	if a.GNU {
		magic = "ustar  \x00"
	}
	copy(b[257:], magic)
	if h.Change != nil {
		h.Change(b)
	}
	sum := 8 * int(' ')
	for i, c := range b {
		if i < 148 || i >= 156 {
			sum += int(c)
		}
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	a.Write(b)
}

// Data writes contents, filled up to a block.
func (a *Archive) Data(data string) {
	a.WriteString(data)
	a.Write(make([]byte, (blockSize-len(data)%blockSize)%blockSize))
}

// Record is a record of an extended header.
func Record(key, value string) string {
	n := len(key) + len(value) + 3
	for digits := 1; ; digits++ {
		if s := fmt.Sprintf("%d %s=%s\n", n+digits, key, value); len(s) == n+digits {
			return s
		}
	}
}

// Pax writes an extended header with these records.
func (a *Archive) Pax(records ...string) {
	data := strings.Join(records, "")
	a.Block(Header{Name: "PaxHeaders/x", Type: 'x', Size: int64(len(data))})
	a.Data(data)
}

// Dir writes a directory with its list: entries of a letter and a name.
func (a *Archive) Dir(name string, entries ...string) {
	list := ""
	for _, e := range entries {
		list += e + "\x00"
	}
	list += "\x00"
	name = strings.TrimSuffix(name, "/") + "/"
	if a.GNU {
		a.Block(Header{Name: name, Type: 'D', Mode: 0o755, Size: int64(len(list))})
		a.Data(list)
		return
	}
	a.Pax(Record("GNU.dumpdir", list))
	a.Block(Header{Name: name, Type: '5', Mode: 0o755})
}

// File writes a file.
func (a *Archive) File(name, content string) { a.FileMode(name, content, 0o644) }

// FileMode writes a file with a mode.
func (a *Archive) FileMode(name, content string, mode int64) {
	a.Block(Header{Name: name, Type: '0', Mode: mode, Size: int64(len(content))})
	a.Data(content)
}

// Symlink writes a symbolic link.
func (a *Archive) Symlink(name, target string) { a.Block(Header{Name: name, Link: target, Type: '2'}) }

// Link writes a hard link.
func (a *Archive) Link(name, target string) { a.Block(Header{Name: name, Link: target, Type: '1'}) }

// Stream ends the archive and returns it.
func (a *Archive) Stream() []byte {
	a.Write(make([]byte, 2*blockSize))
	if n := a.Len() % (20 * blockSize); n > 0 {
		a.Write(make([]byte, 20*blockSize-n))
	}
	return a.Bytes()
}
