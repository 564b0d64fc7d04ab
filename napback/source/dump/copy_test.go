package dump_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"napback/internal/cli"
	"napback/napback/source/dump"
)

func TestAMarkerIsTheLastThingThatADumpSays(t *testing.T) {
	const (
		my  = "INSERT INTO t VALUES (1);\n"
		pg  = "--\n-- PostgreSQL database dump complete\n--\n\n"
		all = "--\n-- PostgreSQL database cluster dump complete\n--\n\n"
	)
	for _, c := range []struct {
		format dump.Format
		text   string
		whole  bool
	}{
		{dump.FormatMySQL, my + "-- Dump completed on 2026-11-21  9:53:56\n", true},
		{dump.FormatMySQL, my + "-- Dump completed on 2026-11-21 19:53:56\r\n", true},
		{dump.FormatMySQL, my + "-- Dump completed\n", true},
		{dump.FormatMySQL, my + "-- Dump completed\n\n\n", true},
		{dump.FormatMySQL, my + "-- Dump completed", false}, // cut in its last line
		{dump.FormatMySQL, my + "-- Dump completed on 2026-11\n", false},
		{dump.FormatMySQL, my + "-- Dump completed\n" + my, false},
		{dump.FormatMySQL, my + "  -- Dump completed\n", false},
		{dump.FormatMySQL, my + "x -- Dump completed\n", false},
		{dump.FormatMySQL, my, false},
		{dump.FormatMySQL, "", false},
		{dump.FormatMySQL, pg, false},
		{dump.FormatMySQL, my + "-- Dump completed\n" + strings.Repeat("\n", 5000), false},
		{dump.FormatPostgreSQL, pg, true},
		{dump.FormatPostgreSQL, pg + "\\unrestrict sqeDnfVsUI85LV\n\n", true},
		{dump.FormatPostgreSQL, pg + "\\unrestrict sqeDnfVsUI85LV", false},
		{dump.FormatPostgreSQL, pg + "\\unrestrict a; b\n", false},
		{dump.FormatPostgreSQL, pg + "COPY x FROM stdin;\n", false},
		{dump.FormatPostgreSQL, "--\n--\n\n", false},
		{dump.FormatPostgreSQL, all, false},
		{dump.FormatPostgreSQLAll, pg + "\\unrestrict sqeDnfVsUI85LV\n\n" + all, true},
		{dump.FormatPostgreSQLAll, pg + "\\unrestrict sqeDnfVsUI85LV\n\n", false},
	} {
		for _, size := range []int{0, 1, 4095, 4096, 4097, 1 << 20, 1<<20 + 1} {
			text := strings.Repeat("x", max(size-len(c.text), 0)) + "\n" + c.text
			if c.text == "" {
				text = text[:len(text)-1]
			}
			if size == 0 {
				text = c.text
			}
			for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text))} {
				if size > 5000 && in != nil && c.text == "" {
					continue
				}
				var out bytes.Buffer
				n, err := dump.Copy(&out, in, c.format, "")
				if out.String() != text || n != int64(len(text)) {
					t.Fatalf("%s: %d bytes became %d", c.format, len(text), n)
				}
				if (err == nil) != c.whole {
					t.Errorf("%s with %d bytes before %q: %v", c.format, size, c.text, err)
				}
				if err != nil && cli.ExitStatus(err) != cli.Integrity {
					t.Errorf("%v has the exit status %d", err, cli.ExitStatus(err))
				}
				if size > 5000 {
					break // a byte at a time takes long
				}
			}
		}
	}
}

func TestCopyTellsWhatFailed(t *testing.T) {
	broken := errors.New("broken")
	if _, err := dump.Copy(io.Discard, iotest.ErrReader(broken), dump.FormatMySQL, ""); !errors.Is(err, broken) {
		t.Errorf("a broken reader: %v", err)
	}
	if _, err := dump.Copy(failing{broken}, strings.NewReader("x"), dump.FormatMySQL, ""); !errors.Is(err, broken) {
		t.Errorf("a broken writer: %v", err)
	}
	for _, c := range []struct {
		format    dump.Format
		revisions string
	}{{"oracle", ""}, {dump.FormatMySQL, "0:1"}, {dump.FormatSubversion, ""}, {dump.FormatSubversion, "1"},
		{dump.FormatSubversion, "2:1"}, {dump.FormatSubversion, "-1:1"}, {dump.FormatSubversion, "0:1x"}} {
		if _, err := dump.Copy(io.Discard, strings.NewReader(""), c.format, c.revisions); cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%q %q: %v", c.format, c.revisions, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// svnDump is a dump of three revisions, with a body that looks like headers.
func svnDump() string {
	revision := func(n string) string {
		return "Revision-number: " + n + "\nProp-content-length: 10\nContent-length: 10\n\nPROPS-END\n\n"
	}
	return "SVN-fs-dump-format-version: 2\n\nUUID: a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\n\n" +
		revision("7") + "Node-path: a\nNode-kind: file\nNode-action: add\nText-content-length: 22\nContent-length: 22\n\n\nRevision-number: 99\n\n\n\n\n" +
		"Node-path: b\nNode-action: delete\n\n\n" + revision("8") + revision("9")
}

func TestASubversionDumpHasAllItsRevisions(t *testing.T) {
	text := svnDump()
	for _, in := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.HalfReader(strings.NewReader(text))} {
		if _, err := dump.Copy(io.Discard, in, dump.FormatSubversion, "7:9"); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range []string{"6:9", "7:8", "7:10", "8:9"} {
		if _, err := dump.Copy(io.Discard, strings.NewReader(text), dump.FormatSubversion, wrong); err == nil {
			t.Errorf("revisions 7:9 are taken for %s", wrong)
		}
	}
	// Cut anywhere, it is not whole; the empty lines at the end say nothing.
	for n := range len(strings.TrimRight(text, "\n")) {
		if _, err := dump.Copy(io.Discard, strings.NewReader(text[:n]), dump.FormatSubversion, "7:9"); err == nil {
			t.Fatalf("cut after %d of %d bytes it is taken for whole: %q", n, len(text), text[max(n-60, 0):n])
		}
	}
	for _, bad := range []string{"x\n", "Content-length: x\n\n", "Revision-number: -1\n\n", strings.Repeat("x", 2<<20)} {
		if _, err := dump.Copy(io.Discard, strings.NewReader(bad), dump.FormatSubversion, "7:9"); err == nil {
			t.Errorf("%.40q is taken for a dump", bad)
		}
	}
}

// Whatever the pieces in which a stream comes, the finding is the same.
func FuzzCopyDoesNotDependOnPieces(f *testing.F) {
	f.Add([]byte(svnDump()), 3)
	f.Add([]byte("-- Dump completed\n"), 1)
	f.Add([]byte("Content-length: 9223372036854775807\n\n"), 5)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		for _, c := range []struct {
			format    dump.Format
			revisions string
		}{{dump.FormatSubversion, "7:9"}, {dump.FormatMySQL, ""}, {dump.FormatPostgreSQL, ""}} {
			_, whole := dump.Copy(io.Discard, bytes.NewReader(data), c.format, c.revisions)
			_, pieces := dump.Copy(io.Discard, &pieced{data, max(piece%4096, 1)}, c.format, c.revisions)
			if (whole == nil) != (pieces == nil) {
				t.Fatalf("%s: %v, in pieces %v", c.format, whole, pieces)
			}
		}
	})
}

type pieced struct {
	data []byte
	size int
}

func (p *pieced) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(p.size, len(b))], p.data)
	p.data = p.data[n:]
	return n, nil
}

func TestRolesAreCreatedOnlyWhereTheyDoNotExist(t *testing.T) {
	const in = "--\n\\restrict x\n\nCREATE ROLE postgres;\nALTER ROLE postgres WITH SUPERUSER;\nCREATE ROLE \"odd \"\"role\";\n" +
		"CREATE ROLE a$$b;\nCREATE ROLE x; DROP ROLE y;\n\\connect template1\nCREATE ROLE postgres;\n" + "no end"
	const want = "--\n\\restrict x\n\nDO $$BEGIN CREATE ROLE postgres; EXCEPTION WHEN duplicate_object THEN NULL; END$$;\n" +
		"ALTER ROLE postgres WITH SUPERUSER;\nDO $$BEGIN CREATE ROLE \"odd \"\"role\"; EXCEPTION WHEN duplicate_object THEN NULL; END$$;\n" +
		"CREATE ROLE a$$b;\nCREATE ROLE x; DROP ROLE y;\n\\connect template1\nCREATE ROLE postgres;\n" + "no end"
	for _, r := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
		var out bytes.Buffer
		if err := dump.OnceRoles(&out, r); err != nil || out.String() != want {
			t.Errorf("%v: %s", err, out.String())
		}
	}
	long := strings.Repeat("x", 3<<20) + "\nCREATE ROLE b;\n"
	var out bytes.Buffer
	if err := dump.OnceRoles(&out, strings.NewReader(long)); err != nil || out.Len() <= len(long) {
		t.Errorf("after a long line: %v", err)
	}
	broken := errors.New("broken")
	if err := dump.OnceRoles(io.Discard, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a broken reader: %v", err)
	}
	if err := dump.OnceRoles(failing{broken}, strings.NewReader(in)); !errors.Is(err, broken) {
		t.Errorf("a broken writer: %v", err)
	}
}

func TestHomeIsTheAccountsWhereCronHasNone(t *testing.T) {
	home := func(base ...string) string {
		for _, entry := range (dump.Command{Keep: []string{"PG*"}}).Environ(base) {
			if value, ok := strings.CutPrefix(entry, "HOME="); ok {
				return value
			}
		}
		return "(none)"
	}
	real, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range [][]string{{}, {"HOME="}, {"HOME=/"}} {
		if got := home(base...); !filepath.IsAbs(got) || got == "/" {
			t.Errorf("%q: HOME is %q", base, got)
		}
	}
	if got := home("HOME=" + real + "/x"); got != real+"/x" {
		t.Errorf("a HOME that is set becomes %q", got)
	}
	env := (dump.Command{Keep: []string{"PG*"}}).Environ([]string{"PGHOST=x", "MYSQL_PWD=y", "AWS_SECRET_ACCESS_KEY=z"})
	if got := strings.Join(env, " "); !strings.Contains(got, "PGHOST=x") || strings.Contains(got, "MYSQL_PWD") || strings.Contains(got, "AWS_") {
		t.Errorf("environment %q", env)
	}
}
