//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/napback/dbtest"
)

func TestPostgreSQLIsLoadedUnderAnotherNameBesideTheOld(t *testing.T) {
	s := newSite(t)
	server := dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(server)
	server.Query("shop", "ALTER DATABASE shop CONNECTION LIMIT 7; GRANT CONNECT ON DATABASE shop TO ann; ALTER ROLE ann IN DATABASE shop SET work_mem = '5MB';")
	s.configure(job("PostgreSQL", "postgres@shop", "shop", "PostgreSQLOptions -h "+server.Socket) +
		job("PostgreSQL", `postgres@odd=na'me \"q\"`, "odd", "PostgreSQLOptions -h "+server.Socket))
	s.napback(0, day(0))
	for name, database := range map[string]string{"shop": "shop", "odd": `odd=na'me "q"`} {
		before := dbtest.PostgreSQLContent(server, database)
		e := s.cmd(0, "restore", "--load", "--as", "copy_"+name, name)
		if !regexp.MustCompile(`note: loading into the database "copy_` + name + `" of PostgreSQL [0-9.]+.* at ` + server.Socket + `, port 5432, as postgres`).MatchString(e.stderr) {
			t.Error(e)
		}
		if diff := cmp.Diff(before, dbtest.PostgreSQLContent(server, database)); diff != "" {
			t.Errorf("the old database has changed: %s", diff)
		}
		want, got := before, strings.ReplaceAll(dbtest.PostgreSQLContent(server, "copy_"+name), "copy_"+name, name)
		if name == "odd" { // its name is written in many ways
			dull := regexp.MustCompile(`(?m)^(?:\\connect|\\encoding|-- Name:|(?:CREATE|ALTER) DATABASE) .*\n`)
			want, got = dull.ReplaceAllString(want, ""), dull.ReplaceAllString(got, "")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if e := s.cmd(1, "restore", "--load", "--as", "copy_shop", "shop"); !strings.Contains(e.stderr, `the server has the database "copy_shop"`) {
		t.Error(e)
	}
	for _, name := range []string{"all", "a b", `a"b`, "-x", strings.Repeat("x", 64)} {
		if e := s.cmd(2, "restore", "--load", "--as="+name, "shop"); !strings.Contains(e.stderr, "want the name of a database") {
			t.Error(e)
		}
	}
}

func TestMariaDBIsLoadedUnderAnotherNameBesideTheOld(t *testing.T) {
	s := newSite(t)
	server := dbtest.MariaDB(t)
	dbtest.FillMariaDB(server)
	// The database's character set is not that of the client.
	server.Query("hollow", "ALTER DATABASE hollow CHARACTER SET latin1; CREATE TABLE t (a INT); CREATE TRIGGER w AFTER INSERT ON t FOR EACH ROW SET @a = 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @a = 1; CREATE VIEW v AS SELECT * FROM t;")
	s.configure(job("MySQL", server.Socket+":shop", "shop", asRoot) + job("MySQL", server.Socket+":hollow", "hollow", asRoot) + job("MySQL", server.Socket+":all", "every", asRoot))
	s.napback(0, day(0))
	for _, name := range []string{"shop", "hollow"} {
		before := dbtest.MariaDBContent(server, name)
		e := s.cmd(0, "restore", "--load", "--as", "copy-"+name, name)
		if !regexp.MustCompile(`note: loading into the database "copy-` + name + `" of .* on host .*, socket ` + server.Socket + `, as root@`).MatchString(e.stderr) {
			t.Error(e)
		}
		if diff := cmp.Diff(before, dbtest.MariaDBContent(server, name)); diff != "" {
			t.Errorf("the old database has changed: %s", diff)
		}
		if diff := cmp.Diff(before, strings.ReplaceAll(dbtest.MariaDBContent(server, "copy-"+name), "copy-"+name, name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if e := s.cmd(2, "restore", "--load", "--as", "x", "every"); !strings.Contains(e.stderr, "a dump of all databases has their names") {
		t.Error(e)
	}
	// Into another server.
	other := dbtest.MariaDB(t)
	e := s.cmd(0, "restore", "--load", "--options", "--no-defaults '--socket="+other.Socket+"' -u root", "shop")
	if !strings.Contains(e.stderr, "socket "+other.Socket) {
		t.Error(e)
	}
	if diff := cmp.Diff(dbtest.MariaDBContent(server, "shop"), dbtest.MariaDBContent(other, "shop")); diff != "" {
		t.Error(diff)
	}
	for options, want := range map[string]string{
		"--no-defaults --where=x": "want only such as tell where the server is", "-psecret": "would show a password", "'": "a quote is not closed", "x": "begin with -",
	} {
		if e := s.cmd(2, "restore", "--load", "--options", options, "shop"); !strings.Contains(e.stderr, want) || strings.Contains(e.stderr, "secret to") {
			t.Errorf("%s: %v", options, e)
		}
	}
}

// Roles that are missing are all named before anything is written.
func TestRolesAreLookedForBeforeAnythingIsLoaded(t *testing.T) {
	s := newSite(t)
	one, two := dbtest.PostgreSQL(t), dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(one)
	s.configure(job("PostgreSQL", "postgres@shop", "shop", "PostgreSQLOptions -h "+one.Socket))
	s.napback(0, day(0))
	there := "--options=-U postgres -h " + two.Socket
	e := s.cmd(1, "restore", "--load", there, "shop")
	if !strings.Contains(e.stderr, `the server lacks roles that own what is in the dump, or have rights there: "ann", "odd ""role"" É"`) {
		t.Error(e)
	}
	hint := regexp.MustCompile(`or first: (.*)`).FindStringSubmatch(e.stderr)
	if got := two.Query("", "SELECT datname FROM pg_database WHERE NOT datistemplate"); got != "postgres\n" {
		t.Errorf("something has been loaded: %q", got)
	}
	if hint == nil {
		t.Fatal(e)
	}
	two.Query("", hint[1])
	s.cmd(0, "restore", "--load", there, "shop")
	if diff := cmp.Diff(dbtest.PostgreSQLContent(one, "shop"), dbtest.PostgreSQLContent(two, "shop")); diff != "" {
		t.Error(diff)
	}
}

// What a load that fails leaves behind is named by what removes it, and that does.
func TestALoadThatFailsTellsHowToRemoveWhatItHasMade(t *testing.T) {
	s := newSite(t)
	pg, my := dbtest.PostgreSQL(t), dbtest.MariaDB(t)
	const end = "--\n-- PostgreSQL database dump complete\n--\n"
	forge := func(kind, source, text string, lines ...string) {
		s.must(os.RemoveAll(filepath.Join(s.store, "bk")))
		s.must(os.Mkdir(filepath.Join(s.store, "bk"), 0o755))
		s.configure(job(kind, source, "job", lines...))
		(&forger{site: s}).store("FULL", kind+" "+source, []byte(text))
	}
	for _, c := range []struct {
		server                     *dbtest.Server
		kind, source, text, option string
	}{
		{pg, "PostgreSQL", "postgres@shop", "CREATE DATABASE shop;\n\\connect shop\nCREATE TABLE t (a int);\nSELECT 1/0;\n" + end, "PostgreSQLOptions -h " + pg.Socket},
		{my, "MySQL", my.Socket + ":shop", "CREATE DATABASE `shop`;\nUSE `shop`;\nCREATE TABLE t (a int);\nNONSENSE;\n-- Dump completed\n", asRoot},
	} {
		forge(c.kind, c.source, c.text, c.option)
		for range 2 { // what is named makes it as it was before
			e := s.cmd(1, "restore", "--load", "job")
			undo := regexp.MustCompile("hint: what has been loaded is not a complete restore; this removes it: (DROP DATABASE [`\"]shop[`\"];)\n").FindStringSubmatch(e.stderr)
			if undo == nil {
				t.Fatal(e)
			}
			c.server.Query("", undo[1])
		}
	}
	forge("PostgreSQL", "postgres@shop", "SELECT 1/0;\n"+end, "PostgreSQLOptions -h "+pg.Socket)
	if e := s.cmd(1, "restore", "--load", "job"); strings.Contains(e.stderr, "removes") {
		t.Errorf("nothing has been made: %v", e)
	}
	forge("Subversion", s.dir+"/svn", "SVN-fs-dump-format-version: 3\n\nnonsense\n")
	e := s.cmd(1, "restore", "--load", "job")
	undo := regexp.MustCompile(`this removes it: (rm -r .*)\n`).FindStringSubmatch(e.stderr)
	if undo == nil {
		t.Fatal(e)
	}
	s.must(exec.CommandContext(t.Context(), "sh", "-c", undo[1]).Run())
	if _, err := os.Lstat(filepath.Join(s.dir, "svn")); err == nil {
		t.Error("it is still there")
	}
}

// A reader that has seen enough is no failure, whatever signals are ignored.
func TestADumpThatNobodyReadsToItsEndIsNoFailure(t *testing.T) {
	s := newSite(t)
	secret := s.newKey("")
	s.configure("ChunkSize 100k\n<Command plain>\nRun seq 3000000\n</Command>\n<Command sealed>\nCompression gzip\n" + encrypted + "\nRun seq 3000000\n</Command>\n")
	s.napback(0, day(0))
	for _, line := range []string{"restore plain", "restore -k " + secret + " sealed", "restore sealed"} {
		for _, trap := range []string{"", "trap '' PIPE; "} {
			cmd := s.other("bash", "-c", trap+"napback -c "+s.conf+" "+line+" | head -n 1; echo status ${PIPESTATUS[0]}")
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if s.gnupg != nil {
				cmd.Env = append(cmd.Env, "GNUPGHOME="+s.gnupg.Dir)
			}
			out, err := cmd.Output()
			if err != nil || string(out) != "1\nstatus 0\n" || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "note: Command ") {
				t.Errorf("%s%s: %v\n%s\n%s", trap, line, err, out, stderr.String())
			}
		}
	}
	// But what is damaged is one, however much of it is read.
	chunks, err := filepath.Glob(filepath.Join(s.store, "bk/Command/plain-0-FULL:*:0000000000002"))
	if err != nil || len(chunks) != 1 {
		t.Fatal(chunks, err)
	}
	s.must(os.Chmod(chunks[0], 0o600))
	s.must(os.Truncate(chunks[0], 1000))
	cmd := s.other("bash", "-c", "napback -c "+s.conf+" restore plain | cat >/dev/null; echo status ${PIPESTATUS[0]}")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "status 5") {
		t.Errorf("%v: %s", err, out)
	}
}
