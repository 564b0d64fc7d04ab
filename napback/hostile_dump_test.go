//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/napback/dbtest"
)

// Whoever can write to the bucket can write dumps; loading one must not make
// psql or mariadb run programs of this host as the user who restores.
func TestADumpRunsNoPrograms(t *testing.T) {
	postgres := dbtest.PostgreSQL(t)
	maria := dbtest.MariaDB(t)
	s := newSite(t)
	proof := filepath.Join(s.dir, "proof")
	touch := "touch " + proof
	secret := filepath.Join(s.dir, "secret")
	s.must(os.WriteFile(secret, []byte("secret\n"), 0o600))
	const end = "--\n-- PostgreSQL database dump complete\n--\n"
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"command":    {"\\! " + touch + "\n", 5},
		"after":      {"SELECT 1; \\! " + touch + "\n", 5},
		"copy":       {"\\copy x from program '" + touch + "'\n", 5},
		"output":     {"SELECT 1 \\g |" + touch + "\n", 5},
		"connect":    {"\\connect `" + touch + "`\n", 5},
		"unrestrict": {"\\unrestrict x\n\\! " + touch + "\n", 5},
		// What is a quote to SafeSQL is none to psql any more.
		"settings": {"SET standard_conforming_strings = off;\nSELECT 'a\\';\nSELECT ';\\! " + touch + "\n';\n", 1},
	} {
		s.configure(job("PostgreSQL", "postgres@shop", "job", "PostgreSQLOptions -h "+postgres.Socket))
		f := &forger{site: s}
		f.store("FULL", "PostgreSQL postgres@shop", []byte(c.text+end))
		e := s.cmd(c.code, "restore", "--load", "job")
		if _, err := os.Lstat(proof); err == nil {
			t.Fatalf("%s: the dump has run a program: %v", name, e)
		}
		if c.code == 5 && !strings.Contains(e.stderr, "refused: line ") || c.code == 1 && !strings.Contains(e.stderr, "restrict") {
			t.Errorf("%s: %v", name, e)
		}
	}
	for name, text := range map[string]string{
		"command": "\\! " + touch, "word": "system " + touch, "after": "SELECT 1; \\! " + touch, "source": "source " + secret, "delimiter": "DELIMITER ;;\nsystem " + touch + ";;",
		"tee": "tee " + proof + "\nSELECT 1;", "local": "CREATE DATABASE z; CREATE TABLE z.t (a text); LOAD DATA LOCAL INFILE '" + secret + "' INTO TABLE z.t;",
	} {
		s.configure(job("MySQL", maria.Socket+":shop", "job", asRoot))
		f := &forger{site: s}
		f.store("FULL", "MySQL "+maria.Socket+":shop", []byte(text+"\n-- Dump completed\n"))
		e := s.cmd(1, "restore", "--load", "job")
		if _, err := os.Lstat(proof); err == nil {
			t.Fatalf("%s: the dump has run a program or written a file: %v", name, e)
		}
	}
}

// A psql that knows no \restrict sees statements, quotes and comments in another
// way than napback; so only dumps that are signed are loaded into it.
func TestADumpRunsNoProgramsThroughAnOldPsql(t *testing.T) {
	postgres := dbtest.PostgreSQL(t)
	s := newSite(t)
	proof := filepath.Join(s.dir, "proof")
	run := "\\! touch " + proof + "\n"
	s.configure(job("PostgreSQL", "postgres@shop", "job", "PostgreSQLOptions -h "+postgres.Socket))
	s.fake("psql", `[ "$1" = --version ] && exec echo "psql (PostgreSQL) 15.13"; exec $REAL "$@"`)
	for name, text := range map[string]string{
		"settings":     "SET standard_conforming_strings = off;\nSELECT 'a\\';\nSELECT ';" + run + "';\n",
		"line end":     "-- x\r" + run,
		"parenthesis":  "SELECT (1;\nCOPY t FROM stdin;\n" + run + "\\.\n",
		"function":     "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC\nSELECT 1;\nCOPY t FROM stdin;\n" + run + "\\.\n",
		"zero byte":    "SELECT '\x00';\n';" + run + "--'\n",
		"encoding":     "SET client_encoding = 'SJIS';\nSELECT E'\x81\\';" + run + "--'\n",
		"number":       "SELECT 1a$b$;\n" + run + "$b$;\n",
		"long dollars": "SELECT $" + strings.Repeat("a", 300) + "$ ' $" + strings.Repeat("a", 300) + "$;" + run + "--'\n",
		"variable":     "CREATE DATABASE \"x\\! touch " + proof + "\";\n\\connect -reuse-previous=on \"dbname='x\\\\! touch " + proof + "'\"\nSELECT :DBNAME;\n",
	} {
		f := &forger{site: s}
		f.store("FULL", "PostgreSQL postgres@shop", []byte(text+"--\n-- PostgreSQL database dump complete\n--\n"))
		e := s.tool("napback", "-c", s.conf, "restore", "--load", "job")
		if _, err := os.Lstat(proof); err == nil {
			t.Errorf("%s: the dump has run a program: %v", name, e)
			s.must(os.Remove(proof))
		}
		if e.code == 0 || !strings.Contains(e.stderr, "psql is too old") {
			t.Errorf("%s: %v", name, e)
		}
	}
	keys := s.signing()
	s.configure(job("PostgreSQL", "postgres@shop", "job", "PostgreSQLOptions -h "+postgres.Socket, keys))
	mine := filepath.Join(s.dir, "mine.sql")
	s.must(os.WriteFile(mine, []byte("SELECT 1;\n--\n-- PostgreSQL database dump complete\n--\n"), 0o600))
	args := []string{"--sign-key", strings.Fields(keys)[1], "bk:job-0-FULL"}
	for _, m := range []string{"job=job", "type=FULL", "slot=0", "date=" + day(0), "source=PostgreSQL postgres@shop", "compression=none"} {
		args = append(args, "-m", m)
	}
	if e := s.tool("s3put", append(args, "--", "cat", mine)...); e.code != 0 {
		t.Fatal(e)
	}
	if e := s.cmd(0, "restore", "--load", "job"); !strings.Contains(e.stderr, "psql is too old") {
		t.Error(e)
	}
	if e := s.cmd(1, "restore", "--load", "--accept-unsigned", "job"); !strings.Contains(e.stderr, "psql is too old") {
		t.Error(e)
	}
}
