package dump

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"napback/internal/cli"
	"napback/napback/programs"
)

// Format is what a stream has to look like to be a whole dump.
type Format string

// The formats. Streams of FormatSubversion need to be told their revisions.
const (
	FormatMySQL         Format = "mysql"
	FormatPostgreSQL    Format = "postgresql"
	FormatPostgreSQLAll Format = "postgresql-all"
	FormatSubversion    Format = "subversion"
	// FormatAny is what nothing is known of: any stream is whole.
	FormatAny Format = programs.Anything
)

// copyBuffer is as large as a pipe that chain has enlarged.
const copyBuffer = 1 << 20

// checker reads a dump to its end, or to where it is wrong, and tells how.
type checker func(in *bufio.Reader) error

// Copy copies a dump from r to w as it is, and returns how many bytes. At the
// end of r, a dump that is not whole is an error with the code cli.Integrity: by
// then all of it has been written, so whoever reads w must not trust what it
// has read before Copy has succeeded. revisions is for FormatSubversion, as
// Range writes it.
func Copy(w io.Writer, r io.Reader, f Format, revisions string) (int64, error) {
	check, err := newChecker(f, revisions)
	if err != nil {
		return 0, err
	}
	return copyChecked(w, r, check)
}

// copyChecked is Copy with any check.
func copyChecked(w io.Writer, r io.Reader, check checker) (int64, error) {
	t := &through{Reader: r, to: w}
	in := bufio.NewReaderSize(t, copyBuffer)
	wrong := check(in)
	for t.err == nil { // the rest of what is wrong
		_, _ = in.Discard(max(1, in.Buffered()))
	}
	if t.err != io.EOF {
		return t.n, t.err
	}
	return t.n, cli.WithCode(cli.Integrity, wrong)
}

// through passes on what is read. Its error, the end too, stays.
type through struct {
	io.Reader
	to  io.Writer
	n   int64
	err error
}

func (t *through) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
	n, err := t.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("read the dump: %w", err)
	}
	if n > 0 {
		if _, bad := t.to.Write(p[:n]); bad != nil {
			t.err = fmt.Errorf("write the dump: %w", bad)
			return 0, t.err
		}
	}
	t.n, t.err = t.n+int64(n), err
	return n, err
}

func newChecker(f Format, revisions string) (checker, error) {
	if (f == FormatSubversion) != (revisions != "") {
		return nil, cli.UsageErrorf("dump format %q: want revisions for %s and for no other", f, FormatSubversion)
	}
	switch f {
	case FormatMySQL:
		return marker("-- Dump completed"), nil
	case FormatPostgreSQL:
		return marker("-- PostgreSQL database dump complete"), nil
	case FormatPostgreSQLAll:
		return marker("-- PostgreSQL database cluster dump complete"), nil
	case FormatAny:
		return func(*bufio.Reader) error { return nil }, nil
	case FormatSubversion:
		r, err := newRevisions(revisions)
		if err != nil {
			return nil, err
		}
		return r.check, nil
	}
	return nil, cli.UsageErrorf("unknown dump format %q: want one of %q", f,
		[]Format{FormatMySQL, FormatPostgreSQL, FormatPostgreSQLAll, FormatSubversion, FormatAny})
}

// tailBytes is enough for the marker and what may stand after it.
const tailBytes = 4096

// marker looks for the comment that ends a dump of SQL.
func marker(want string) checker {
	return func(in *bufio.Reader) error {
		var tail []byte // the last bytes of the stream
		for {
			if _, err := in.Peek(1); err != nil {
				break
			}
			p, _ := in.Peek(in.Buffered())
			tail = append(tail, p[max(0, len(p)-tailBytes):]...)
			tail = tail[max(0, len(tail)-tailBytes):]
			_, _ = in.Discard(len(p))
		}
		switch {
		case len(tail) == 0:
			return errors.New("the dump is empty")
		case lastStatement(tail) == want:
			return nil
		}
		return cli.WithHint(fmt.Errorf("the dump was cut short: it does not end with %q", want),
			"if it was not: an option or an option file of the dump program leaves that line out")
	}
}
