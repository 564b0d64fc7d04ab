//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"napback/napback/dbtest"
)

// job is the block of a source with a Name.
func job(kind, source, name string, lines ...string) string {
	return fmt.Sprintf("<%s \"%s\">\n  Name %s\n  Fulls 2\n  %s\n</%[1]s>\n", kind, source, name, strings.Join(lines, "\n  "))
}

const asRoot = "MySQLOptions --no-defaults -u root"

func TestMariaDBComesBackInAnEmptyServer(t *testing.T) {
	s := newSite(t)
	secret := s.newKey("")
	one := dbtest.MariaDB(t)
	dbtest.FillMariaDB(one)
	s.configure(encrypted + "\nChunkSize 100k\n" + job("MySQL", one.Socket+":shop", "shop", asRoot) + job("MySQL", one.Socket+":all", "every", asRoot, "UseTempFile on", "TempDir "+s.dir))
	s.napback(0, day(0))
	before := dbtest.MariaDBContent(one, "shop")
	one.Query("shop", "CALL add_customer('new'); DROP TABLE parts; UPDATE item SET b = UNHEX('00FF') WHERE id = 2;")
	s.napback(0, day(1))
	after, users := dbtest.MariaDBContent(one, "shop"), dbtest.MariaDBUsers(one)
	if before == after {
		t.Fatal("nothing has changed")
	}
	s.wantArchives("every-0-FULL", "every-1-FULL", "shop-0-FULL", "shop-1-FULL")
	one.Kill()

	two := dbtest.MariaDBAt(t, one.Socket)
	s.cmd(0, "restore", "-k", secret, "--load", "--at", day(0), "shop")
	if diff := cmp.Diff(before, dbtest.MariaDBContent(two, "shop")); diff != "" {
		t.Errorf("the first day: %s", diff)
	}
	if e := s.cmd(1, "restore", "-k", secret, "--load", "shop"); !strings.Contains(e.stderr, `the server has the database "shop"`) {
		t.Error(e)
	}
	two.Query("", "DROP DATABASE shop")
	s.cmd(0, "restore", "-k", secret, "--load", "every")
	if diff := cmp.Diff(after, dbtest.MariaDBContent(two, "shop")); diff != "" {
		t.Errorf("the second day: %s", diff)
	}
	if diff := cmp.Diff(users, dbtest.MariaDBUsers(two)); diff != "" {
		t.Error(diff)
	}

	file := filepath.Join(s.dir, "shop.sql")
	s.cmd(0, "restore", "-k", secret, "--to", file, "shop")
	info, err := os.Stat(file)
	s.must(err)
	text, err := os.ReadFile(file)
	s.must(err)
	if info.Mode() != 0o600 || !strings.Contains(string(text), "-- Dump completed on ") {
		t.Errorf("%v, ends with %q", info.Mode(), text[max(len(text)-100, 0):])
	}
	if e := s.cmd(0, "restore", "-k", secret, "shop"); e.out != string(text) {
		t.Errorf("to stdout come %d bytes, into a file %d", len(e.out), len(text))
	}
	if e := s.cmd(1, "restore", "-k", secret, "--to", file, "shop"); !strings.Contains(e.stderr, "exists") {
		t.Error(e)
	}
}

func TestPostgreSQLComesBackInAnEmptyServer(t *testing.T) {
	s := newSite(t)
	one := dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(one)
	configure := func(socket string) {
		options := "PostgreSQLOptions -h " + socket
		s.configure("ChunkSize 100k\n" + job("PostgreSQL", "postgres@shop", "shop", options) + job("PostgreSQL", "postgres@all", "every", options))
	}
	configure(one.Socket)
	s.napback(0, day(0))
	before := dbtest.PostgreSQLContent(one, "shop")
	one.Query("shop", "INSERT INTO x.customer (id, name) VALUES (1000, 'new'); DROP TABLE parts; SELECT lo_put(70001, 0, 'changed');")
	s.napback(0, day(1))
	after, roles := dbtest.PostgreSQLContent(one, "shop"), dbtest.PostgreSQLRoles(one)
	one.Kill()

	two := dbtest.PostgreSQL(t)
	configure(two.Socket)
	if e := s.cmd(1, "restore", "--load", "shop"); !strings.Contains(e.stderr, "the server lacks roles") {
		t.Error(e)
	}
	two.Query("", `CREATE ROLE ann; CREATE ROLE "odd ""role"" É";`)
	s.cmd(0, "restore", "--load", "--at", day(0), "shop")
	if diff := cmp.Diff(before, dbtest.PostgreSQLContent(two, "shop")); diff != "" {
		t.Errorf("the first day: %s", diff)
	}
	for _, name := range []string{"shop", "every"} {
		if e := s.cmd(1, "restore", "--load", name); !strings.Contains(e.stderr, `the server has the database "shop"`) {
			t.Error(e)
		}
	}
	two.Query("", "DROP DATABASE shop")
	s.cmd(0, "restore", "--load", "every")
	if diff := cmp.Diff(after, dbtest.PostgreSQLContent(two, "shop")); diff != "" {
		t.Errorf("the second day: %s", diff)
	}
	if diff := cmp.Diff(roles, dbtest.PostgreSQLRoles(two)); diff != "" {
		t.Error(diff)
	}
}

// A wrapper that hides a failure, or a pipe that breaks in silence.
func TestADumpThatIsCutShortIsNoBackup(t *testing.T) {
	s := newSite(t)
	s.write("file", "x")
	text := "MySQL a\nPostgreSQL b\nPostgreSQL all\n" + s.block()
	my, pg, all := "-- Dump completed on 2026-11-21  9:53:56", "--\n-- PostgreSQL database dump complete\n--\n", "--\n-- PostgreSQL database cluster dump complete\n--\n"
	for _, spool := range []string{"", "UseTempFile on\nTempDir " + s.dir + "\n"} {
		s.configure(spool + text)
		s.fake("mariadb-dump", "echo 'INSERT'; echo '"+my+"'")
		s.fake("pg_dump", "echo 'COPY'; echo '"+pg+"'")
		s.fake("pg_dumpall", "echo 'COPY'; echo '"+all+"'")
		s.napback(0, day(0))
		want := s.archives()
		if len(want) != 4 {
			t.Fatalf("archives %q", want)
		}
		for _, program := range []string{"mariadb-dump", "pg_dump", "pg_dumpall"} {
			s.fake(program, "echo INSERT")
		}
		e := s.napback(1, day(1))
		if got := strings.Count(e.stderr, "napback: the dump was cut short"); got != 3 {
			t.Errorf("%d jobs were cut short: %v", got, e)
		}
		want = append(want, "job-1-DIFF")
		slices.Sort(want)
		s.wantArchives(want...)
		s.must(os.RemoveAll(s.store))
		s.must(os.RemoveAll(s.diffs))
		s.must(os.MkdirAll(filepath.Join(s.store, "bk"), 0o755))
		s.must(os.Mkdir(s.diffs, 0o755))
	}
}

func TestWhatADatabaseDoesNotGive(t *testing.T) {
	s := newSite(t)
	s.write("file", "x")
	my := dbtest.MariaDB(t)
	my.Query("", "CREATE DATABASE shop; CREATE USER ann@localhost IDENTIFIED BY 'secret of ann'; GRANT ALL ON *.* TO ann@localhost;")
	pg := dbtest.PostgreSQL(t, "local shop ann scram-sha-256")
	pg.Query("", "CREATE DATABASE shop; CREATE ROLE ann SUPERUSER LOGIN PASSWORD 'secret of ann';")
	ann := "MySQLOptions -u ann"
	host := "PostgreSQLOptions -h " + pg.Socket
	s.configure(job("MySQL", my.Socket+":wrong", "a", asRoot) + job("MySQL", my.Socket+":shop", "b", ann) +
		job("PostgreSQL", "postgres@wrong", "c", host) + job("PostgreSQL", "ann@shop", "d", host) + s.block())
	// An option file that asks for a password.
	s.must(os.WriteFile(filepath.Join(s.dir, ".my.cnf"), []byte("[client]\npassword\n"), 0o600))
	for _, terminal := range []bool{false, true} {
		cmd := s.command(t.Context(), "napback", "-c", s.conf, "--date", day(0), "-f")
		if terminal { // which nobody answers
			line := exec.Command("sh", append([]string{"-c", `exec "$@"`, "sh"}, cmd.Args...)...)
			script := exec.CommandContext(t.Context(), "script", "-qefc", shellLine(line.Args), "/dev/null")
			script.Env = cmd.Env
			read, write, err := os.Pipe()
			s.must(err)
			defer write.Close() // no end of input either
			script.Stdin = read
			cmd = script
		}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("terminal %v: %v", terminal, err)
		}
		for _, want := range []string{"Unknown database 'wrong'", "Access denied for user 'ann'", `database "wrong" does not exist`, "no password supplied",
			"write the password into .my.cnf", "write the password into .pgpass"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("terminal %v: no %q in %s", terminal, want, out)
			}
		}
		s.wantArchives("job-0-FULL")
	}
	// With the passwords in their files, also where cron has no HOME.
	s.must(os.WriteFile(filepath.Join(s.dir, ".my.cnf"), []byte("[client]\npassword=secret of ann\n"), 0o600))
	s.must(os.WriteFile(filepath.Join(s.dir, ".pgpass"), []byte("*:*:*:ann:secret of ann\n"), 0o600))
	e := s.napback(1, day(0))
	s.wantArchives("b-0-FULL", "d-0-FULL", "job-0-FULL")
	if strings.Contains(e.stderr+e.out, "secret of ann") {
		t.Errorf("a password is shown: %v", e)
	}
}

func shellLine(args []string) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString("'" + strings.ReplaceAll(a, "'", `'\''`) + "' ")
	}
	return b.String()
}

// chunks waits until a chunk of a run that is not committed is stored.
func (s *site) awaitChunk(name string) {
	s.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		found, _ := filepath.Glob(filepath.Join(s.store, "bk", name+":*:0*"))
		if len(found) > 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatal("no chunk was stored")
		}
	}
}

func TestAServerThatDiesInTheMiddleOfADump(t *testing.T) {
	s := newSite(t)
	s.write("file", "x")
	my, pg := dbtest.MariaDB(t), dbtest.PostgreSQL(t)
	my.Query("", "CREATE DATABASE shop")
	my.Query("shop", "CREATE TABLE big AS SELECT seq, REPEAT(MD5(seq), 100) AS h FROM seq_1_to_10000")
	pg.Query("", "CREATE DATABASE shop")
	pg.Query("shop", "CREATE TABLE big AS SELECT g, repeat(md5(g::text), 300) AS h FROM generate_series(1, 10000) g")
	for _, c := range []struct {
		name   string
		server *dbtest.Server
		job    string
	}{
		{"my", my, job("MySQL", my.Socket+":shop", "my", asRoot)},
		{"pg", pg, job("PostgreSQL", "postgres@shop", "pg", "PostgreSQLOptions -h "+pg.Socket)},
	} {
		s.configure("Compression none\nChunkSize 100k\n" + c.job + s.block())
		s.napback(0, day(0))
		s.configure("Compression none\nChunkSize 100k\nBandwidthLimit 8M\n" + c.job + s.block())
		before := s.archives()
		cmd := s.command(t.Context(), "napback", "-c", s.conf, "--date", day(1))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		s.must(os.RemoveAll(filepath.Join(s.store, "bk", c.name+"-1-FULL")))
		s.must(cmd.Start())
		s.awaitChunk(c.name + "-1-FULL")
		c.server.Kill()
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: exit %d: %s", c.name, cmd.ProcessState.ExitCode(), out.String())
		}
		if !strings.Contains(out.String(), ":\n  mariadb-dump: exit status") && !strings.Contains(out.String(), ":\n  pg_dump: ") {
			t.Errorf("the dump program is not named as the cause: %s", out.String())
		}
		want := slices.Clone(before)
		if !slices.Contains(want, "job-1-DIFF") {
			want = append(want, "job-1-DIFF")
		}
		slices.Sort(want)
		s.wantArchives(want...)
		if left, _ := filepath.Glob(filepath.Join(s.store, "bk", c.name+"-1-FULL:*")); len(left) > 0 {
			t.Errorf("left in the store: %q", left)
		}
	}
}

// The lines of -t do by hand what napback does; those of a database are not
// committed by a shell either if the dump is cut short, given pipefail.
func TestThePlanOfADumpCanBePasted(t *testing.T) {
	s := newSite(t)
	s.write("file", "x")
	r := dbtest.Subversion(t, filepath.Join(s.dir, "repository"))
	r.Fill(0)
	s.fake("mariadb-dump", "echo 'INSERT;'; echo '-- Dump completed'")
	s.configure("MySQL db\n<Subversion " + r.Path + ">\nName svn\nUseTempFile on\nTempDir " + s.dir + "\n</Subversion>\n" +
		"<Directory " + s.source + ">\nName dir\nUseTempFile on\nTempDir " + s.dir + "\n</Directory>\n")
	plan := s.napback(0, day(0), "-t").out
	s.wantArchives()
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail")
	cmd.Stdin = strings.NewReader(plan)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, plan)
	}
	s.wantArchives("MySQL/db-0-FULL", "dir-0-FULL", "svn-0-FULL")
	if left, _ := filepath.Glob(filepath.Join(s.dir, "napback-*.tmp")); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if e := s.cmd(0, "restore", "MySQL/db"); e.out != "INSERT;\n-- Dump completed\n" {
		t.Error(e)
	}
	to := filepath.Join(s.dir, "back")
	s.cmd(0, "restore", "--load", "--as", to, "svn")
	if diff := cmp.Diff(r.Content(), dbtest.OpenSubversion(t, to).Content()); diff != "" {
		t.Error(diff)
	}
	// So do those of a restore.
	again := filepath.Join(s.dir, "again")
	lines := s.cmd(0, "restore", "-p", "--load", "--as", again, "svn").out
	if out, err := exec.CommandContext(t.Context(), "bash", "-ec", lines).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, lines)
	}
	if diff := cmp.Diff(r.Content(), dbtest.OpenSubversion(t, again).Content()); diff != "" {
		t.Error(diff)
	}
}
