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
