package snapshot

import (
	"bufio"
	"io"
)

// record is what a snapshot holds of one directory: NFS or not, mtime in seconds
// and nanoseconds, device, inode, name, then its entries, an empty field, and an
// empty field.
type record struct {
	nfs, seconds, nanoseconds, device, inode, name string
	entries                                        []string
}

func (d *record) write(w *bufio.Writer) {
	for _, f := range append([]string{d.nfs, d.seconds, d.nanoseconds, d.device, d.inode, d.name}, append(d.entries, "", "")...) {
		w.WriteString(f)
		w.WriteByte(0)
	}
}

// fields reads fields, which end with a zero byte each. Its error is sticky.
type fields struct {
	in  *bufio.Reader
	err error
}

func (f *fields) record() *record {
	d := &record{nfs: f.field(), seconds: f.field(), nanoseconds: f.field(), device: f.field(), inode: f.field(), name: f.field()}
	for f.err == nil {
		entry := f.field()
		if entry == "" {
			break
		}
		d.entries = append(d.entries, entry)
	}
	if end := f.field(); end != "" {
		f.fail(ErrFormat)
	}
	return d
}

// more tells whether there is another record.
func (f *fields) more() bool {
	if f.err != nil {
		return false
	}
	_, err := f.in.Peek(1)
	if err != nil && err != io.EOF {
		f.fail(err)
	}
	return err == nil
}

func (f *fields) field() string {
	if f.err != nil {
		return ""
	}
	var field []byte
	for {
		piece, err := f.in.ReadSlice(0)
		field = append(field, piece...)
		switch {
		case len(field) > maxField:
			f.fail(ErrFormat)
			return ""
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF:
			f.fail(io.ErrUnexpectedEOF) // cut off
			return ""
		case err != nil:
			f.fail(err)
			return ""
		}
		return string(field[:len(field)-1])
	}
}

// number reads a field with one of the parsers of strconv.
func number[T any](f *fields, field string, parse func(s string, base, bits int) (T, error)) T {
	n, err := parse(field, 10, 64)
	if err != nil {
		f.fail(ErrFormat)
	}
	return n
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}
