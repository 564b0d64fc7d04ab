package dump

import (
	"bytes"
	"strings"
	"testing"

	"napback/internal/cli"
)

func safe(text, key string) (string, error) {
	var out bytes.Buffer
	err := SafeSQL(&out, strings.NewReader(text), key, Other{})
	return out.String(), err
}

// What pg_dump writes goes through as it is.
func TestADumpGoesThrough(t *testing.T) {
	dump := `--
-- PostgreSQL database dump \! not a command
--
SET standard_conforming_strings = on;
CREATE DATABASE shop;
\connect shop
\encoding SQL_ASCII
\connect "Shop 1"
\connect -reuse-previous=on "dbname='a=b ""c"" \\ \'d'"
CREATE FUNCTION f() RETURNS text AS $_$ \! $$ ' " $1 $_$ LANGUAGE sql;
COMMENT ON TABLE t IS 'a \! it''s \';
COMMENT ON TABLE t IS E'a \' \\! \\';
/* a /* nested \! ' */ comment \! */
SELECT e'\'', "a\b ""c", tabe'\', $1, a$b$c;
COPY public.t (a, "b ""c", d) FROM stdin;
1	\N	x'
\! data
\\.
\.
COPY "Odd
name" FROM stdin;
\.
INSERT INTO t VALUES ('\x00', 'C:\');
`
	if got, err := safe(dump, ""); err != nil || got != dump {
		t.Errorf("%v\n%s", err, got)
	}
	got, err := safe("\\restrict theirs\nSELECT 1;\n\\connect shop\nSELECT 2;\n\\unrestrict theirs\n", "ours")
	want := "\\restrict ours\nSELECT 1;\n\\unrestrict ours\n\\connect shop\n\\restrict ours\nSELECT 2;\n\n\\unrestrict ours\n"
	if err != nil || got != want {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestACommandThatNoDumpHasIsRefused(t *testing.T) {
	for _, text := range []string{
		`\! id`, "SELECT 1;\n\\! id\n", `SELECT 1 \! id`, `SELECT 1; \! id`, "SELECT\n\\! id", `\i /etc/passwd`, `\o |id`, `\copy t from program 'id'`,
		`SELECT 1 \g |id`, "\\connect `id`\n", "\\connect \"a\" b c\n", "\\connect host=evil\n", "\\connect \"host=evil\"\n", "\\connect postgresql://evil\n",
		"\\connect \"postgresql://evil\"\n", "\\connect -reuse-previous=on \"host=evil dbname='x'\"\n", "\\connect -reuse-previous=on \"dbname='x' host=evil\"\n",
		"\\connect x \\! id\n", "\\restrict a b\n", "\\unrestrict x \\! id\n", `\set x 1`, "\\encoding SJIS\n",
		"SELECT 'a''b';\\! id\n", "SELECT E'a\\'';\\! id\n", "SELECT 'a\\';\\! id\n", "SELECT $$ $a$ $$;\\! id\n", "SELECT $a$ $$ $a$\\! id\n", "SELECT a$$b \\! id",
		"/* /* */ */\\! id\n", "-- x\n\\! id\n", "SELECT \"a\"\"\\\" \\! id\n",
		"COPY t FROM stdin;\n\\.\n\\! id\n", "COPY t TO stdout; -- FROM stdin;\n\\! id\n", "copy t from stdin;\n'\n\\.\n\\! id\n",
		" COPY t FROM stdin;\n", "COPY t FROM stdin WITH CSV;\n", "COPY t FROM PROGRAM 'id';\n", "SELECT 1;COPY t FROM stdin;\n", "/**/copy t from stdin;\n",
		"COPY t FROM stdin",
	} {
		for _, key := range []string{"", "key"} {
			if got, err := safe(text, key); err == nil || cli.ExitStatus(err) != cli.Integrity || !strings.Contains(err.Error(), "refused: line ") || strings.Contains(got, "id\n") {
				t.Errorf("%q: %v, passes on %q", text, err, got)
			}
		}
	}
	if _, err := safe("SELECT 1;\nSELECT\n 2;\n\\! id\n", ""); err == nil || !strings.Contains(err.Error(), "line 4 ") {
		t.Error(err)
	}
}
