package dump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
)

// createRole matches how pg_dumpall creates a role. A name with a line end or
// with the quotes of DO is left as it is.
var createRole = regexp.MustCompile(`^CREATE ROLE ([a-z_][a-z0-9_]*|"(?:[^"\n]|"")+");\r?\n$`)

// OnceRoles copies a dump of pg_dumpall from r to w, in which it makes each role
// created only where it does not exist. Every server has one, the superuser, and
// usually of the same name: loading would end there. Its properties, such as its
// password, are set by the dump in either case.
//
// Only what comes before the first database is changed.
func OnceRoles(w io.Writer, r io.Reader) error {
	in, out := bufio.NewReaderSize(r, copyBuffer), bufio.NewWriterSize(w, 1<<16)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("read the dump: %w", err)
		}
		ended := errors.Is(err, io.EOF)
		if m := createRole.FindSubmatch(line); m != nil && !bytes.Contains(line, []byte("$$")) {
			line = fmt.Appendf(nil, "DO $$BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object THEN NULL; END$$;\n", m[1])
		}
		inDatabase := bytes.HasPrefix(line, []byte(`\connect `))
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write the dump: %w", err)
		}
		if ended || inDatabase {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{in}, make([]byte, copyBuffer)); err != nil {
		return fmt.Errorf("pass on the dump: %w", err)
	}
	return nil
}
