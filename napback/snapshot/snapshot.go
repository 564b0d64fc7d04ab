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
// old times. The caller of Rewrite leaves such directories out, and tar stores them
// whole.
//
// tar notes the device and the mtime of a directory when it is new to it, and not
// again. It makes no use of the mtime. After a run on a snapshot that Rewrite has
// made, directories that were in it have the device 0 and the mtime that the caller
// gave them, others those that tar has met.
package snapshot

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Overlap is how far Rewrite sets the start of the previous run back. FAT, the
// coarsest file system in use, counts two seconds.
const Overlap = 3 * time.Second

// ErrFormat tells that a file is not a snapshot that this package knows.
var ErrFormat = errors.New("not a snapshot of GNU tar's format 2")

// noDevice is a device that no file is on.
const noDevice = "0"

// maxField bounds a field, in bytes: names have no more than PATH_MAX.
const maxField = 1 << 16

// Directory is what a snapshot knows of a directory.
type Directory struct {
	Name     string // as tar stores it, relative to the root
	Modified time.Time
	Device   uint64
	Inode    uint64
	Stored   []string // the files in it that the run stored
}

// Reader reads a snapshot.
type Reader struct {
	// Start is when the run that the snapshot comes from has started.
	Start  time.Time
	fields fields
	header []byte
}

// NewReader reads the head of a snapshot.
func NewReader(r io.Reader) (*Reader, error) {
	s := &Reader{fields: fields{in: bufio.NewReaderSize(r, 1<<16)}}
	var err error
	s.header, err = s.fields.in.ReadBytes('\n')
	if err != nil || !bytes.HasPrefix(s.header, []byte("GNU tar-")) || !bytes.HasSuffix(s.header, []byte("-2\n")) {
		return nil, ErrFormat
	}
	s.Start = time.Unix(number(&s.fields, s.fields.field(), strconv.ParseInt), number(&s.fields, s.fields.field(), strconv.ParseInt))
	return s, s.err()
}

// Next returns the next directory, or io.EOF behind the last one.
func (s *Reader) Next() (*Directory, error) {
	if !s.fields.more() {
		if err := s.err(); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	d := s.directory(s.fields.record())
	return d, s.err()
}

// Each calls visit for the directories that Next has not returned.
func (s *Reader) Each(visit func(*Directory)) error {
	for {
		d, err := s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		visit(d)
	}
}

func (s *Reader) directory(r *record) *Directory {
	f := &s.fields
	d := &Directory{Name: r.name, Device: number(f, r.device, strconv.ParseUint), Inode: number(f, r.inode, strconv.ParseUint)}
	d.Modified = time.Unix(number(f, r.seconds, strconv.ParseInt), number(f, r.nanoseconds, strconv.ParseInt))
	for _, e := range r.entries {
		if file, ok := strings.CutPrefix(e, "Y"); ok {
			d.Stored = append(d.Stored, file)
		}
	}
	return d
}

func (s *Reader) err() error {
	if s.fields.err == nil {
		return nil
	}
	return fmt.Errorf("read snapshot: %w", s.fields.err)
}

// Rewrite copies the snapshot r to w as the base of the next increment, and
// returns when the run that it comes from has started. keep tells of each
// directory whether to keep it, and may change its mtime; tar stores whole what
// is not kept. nil keeps all.
func Rewrite(w io.Writer, r io.Reader, keep func(*Directory) bool) (time.Time, error) {
	s, err := NewReader(r)
	if err != nil {
		return time.Time{}, err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	back := s.Start.Add(-Overlap)
	fmt.Fprintf(out, "%s%d\x00%d\x00", s.header, back.Unix(), back.Nanosecond())
	for s.fields.more() {
		raw := s.fields.record()
		d := s.directory(raw)
		if s.fields.err != nil || keep != nil && !keep(d) {
			continue
		}
		raw.device = noDevice
		raw.seconds, raw.nanoseconds = strconv.FormatInt(d.Modified.Unix(), 10), strconv.Itoa(d.Modified.Nanosecond())
		raw.write(out)
	}
	if err := s.err(); err != nil {
		return time.Time{}, err
	}
	if err := out.Flush(); err != nil { // sticky: it tells of the writes before, too
		return time.Time{}, fmt.Errorf("write snapshot: %w", err)
	}
	return s.Start, nil
}
