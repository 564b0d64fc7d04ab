package dump

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"napback/internal/cli"
)

// Format is what a stream has to look like to be a whole dump.
type Format string

// The formats. Streams of FormatSubversion need to be told their revisions.
const (
	FormatMySQL         Format = "mysql"
	FormatPostgreSQL    Format = "postgresql"
	FormatPostgreSQLAll Format = "postgresql-all"
	FormatSubversion    Format = "subversion"
)

// Formats lists all formats.
func Formats() []Format {
	return []Format{FormatMySQL, FormatPostgreSQL, FormatPostgreSQLAll, FormatSubversion}
}

// copyBuffer is as large as a pipe that chain has enlarged.
const copyBuffer = 1 << 20

// checker sees a stream go by and knows in the end whether it is whole.
type checker interface {
	take(p []byte)
	whole() error
}

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
	var n int64
	for buf := make([]byte, copyBuffer); ; {
		got, err := r.Read(buf)
		if got > 0 {
			check.take(buf[:got])
			if _, err := w.Write(buf[:got]); err != nil {
				return n, fmt.Errorf("write the dump: %w", err)
			}
			n += int64(got)
		}
		if errors.Is(err, io.EOF) {
			return n, cli.WithCode(cli.Integrity, check.whole())
		}
		if err != nil {
			return n, fmt.Errorf("read the dump: %w", err)
		}
	}
}

func newChecker(f Format, revisions string) (checker, error) {
	if (f == FormatSubversion) != (revisions != "") {
		return nil, cli.UsageErrorf("dump format %q: want revisions for %s and for no other", f, FormatSubversion)
	}
	switch f {
	case FormatMySQL:
		return &marker{want: "-- Dump completed"}, nil
	case FormatPostgreSQL:
		return &marker{want: "-- PostgreSQL database dump complete"}, nil
	case FormatPostgreSQLAll:
		return &marker{want: "-- PostgreSQL database cluster dump complete"}, nil
	case FormatSubversion:
		return newRevisions(revisions)
	}
	return nil, cli.UsageErrorf("unknown dump format %q: want one of %q", f, Formats())
}

// marker looks for the comment that ends a dump of SQL.
type marker struct {
	want string
	tail []byte // the last bytes of the stream
	any  bool
}

// tailBytes is enough for the marker and what may stand after it.
const tailBytes = 4096

func (m *marker) take(p []byte) {
	m.any = true
	if len(p) >= tailBytes {
		m.tail = append(m.tail[:0], p[len(p)-tailBytes:]...)
		return
	}
	m.tail = append(m.tail, p...)
	if extra := len(m.tail) - tailBytes; extra > 0 {
		m.tail = slices.Delete(m.tail, 0, extra)
	}
}

func (m *marker) whole() error {
	if !m.any {
		return errors.New("the dump is empty")
	}
	if lastStatement(m.tail) == m.want {
		return nil
	}
	return cli.WithHint(fmt.Errorf("the dump was cut short: it does not end with %q", m.want),
		"if it was not: an option or an option file of the dump program leaves that line out")
}
