// Package snapshot prepares the snapshot files of GNU tar's
// --listed-incremental (format 2) for the next increment.
//
// tar knows a directory by its device and inode, and when it meets a known pair
// under another name it does not store the directory again, but notes that it
// was renamed. Restoring such notes is what GNU tar is bad at: directories
// that were swapped, renamed over others, or whose inode was used again end in
// "Cannot rename ...: Directory not empty" and in lost files. So Rewrite
// forgets the devices: with --no-check-device, tar then still knows a directory
// that has kept its name and inode, and never finds one under another name. A
// renamed directory is simply stored whole.
//
// tar takes a file as changed if its mtime or ctime is not before the start of
// the previous run. The kernel takes these times from a clock that lags behind
// the one that tar reads, and other file systems only count seconds, so a file
// that changes right after it was read could be missed for ever. Rewrite sets the
// start of the previous run back (Overlap).
//
// A directory whose file system was replaced by another one (a second disk under
// the same mount point) can have the same name and inode and hold other files with
// old times. Rewrite makes tar store such directories whole.
package snapshot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Overlap is how far Rewrite sets the start of the previous run back. FAT, the
// coarsest file system in use, counts two seconds.
const Overlap = 3 * time.Second

// ErrFormat tells that a file is not a snapshot that this package knows.
var ErrFormat = errors.New("not a snapshot of GNU tar's format 2")

// noDevice is a device that no file is on, noInode an inode that none has.
const (
	noDevice = "0"
	noInode  = "0"
)

// maxField bounds a field, in bytes: names have no more than PATH_MAX.
const maxField = 1 << 16

// Rewrite copies the snapshot r to w as the base of the next increment, and
// returns when the run that it comes from has started. stale tells which
// directories, by their names as tar knows them, are to be stored whole; nil
// = none.
func Rewrite(w io.Writer, r io.Reader, stale func(name string) bool) (time.Time, error) {
	c := &copier{in: bufio.NewReaderSize(r, 1<<16), out: bufio.NewWriterSize(w, 1<<16)}
	header, err := c.in.ReadBytes('\n')
	if err != nil || !bytes.HasPrefix(header, []byte("GNU tar-")) || !bytes.HasSuffix(header, []byte("-2\n")) {
		return time.Time{}, ErrFormat
	}
	start := time.Unix(c.number(), c.number())
	back := start.Add(-Overlap)
	c.bytes(header)
	c.text(strconv.FormatInt(back.Unix(), 10))
	c.text(strconv.Itoa(back.Nanosecond()))
	for c.more() {
		c.directory(stale)
	}
	if c.err == nil {
		c.err = c.out.Flush()
	}
	if c.err != nil {
		return time.Time{}, fmt.Errorf("read snapshot: %w", c.err)
	}
	return start, nil
}

// copier copies fields, which end with a zero byte each. Its error is sticky.
type copier struct {
	in  *bufio.Reader
	out *bufio.Writer
	err error
}

// directory copies the record of one directory: NFS or not, mtime in seconds
// and nanoseconds, device, inode, name, then its entries, an empty field, and an
// empty field.
func (c *copier) directory(stale func(string) bool) {
	nfs, seconds, nanoseconds, _, inode := c.field(), c.field(), c.field(), c.field(), c.field()
	name := c.field()
	if stale != nil && c.err == nil && stale(name) {
		inode = noInode
	}
	for _, f := range []string{nfs, seconds, nanoseconds, noDevice, inode, name} {
		c.text(f)
	}
	for {
		entry := c.field()
		c.text(entry)
		if entry == "" || c.err != nil {
			break
		}
	}
	if end := c.field(); end != "" {
		c.fail(ErrFormat)
	}
	c.text("")
}

// more tells whether there is another record.
func (c *copier) more() bool {
	if c.err != nil {
		return false
	}
	_, err := c.in.Peek(1)
	if err != nil && err != io.EOF {
		c.fail(err)
	}
	return err == nil
}

func (c *copier) field() string {
	if c.err != nil {
		return ""
	}
	var field []byte
	for {
		piece, err := c.in.ReadSlice(0)
		field = append(field, piece...)
		switch {
		case len(field) > maxField:
			c.fail(ErrFormat)
			return ""
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF:
			c.fail(io.ErrUnexpectedEOF) // cut off
			return ""
		case err != nil:
			c.fail(err)
			return ""
		}
		return string(field[:len(field)-1])
	}
}

func (c *copier) number() int64 {
	n, err := strconv.ParseInt(c.field(), 10, 64)
	if err != nil {
		c.fail(ErrFormat)
	}
	return n
}

func (c *copier) text(field string) {
	c.bytes([]byte(field))
	c.bytes([]byte{0})
}

func (c *copier) bytes(b []byte) {
	if c.err == nil {
		_, c.err = c.out.Write(b)
	}
}

func (c *copier) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}
