//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"napback/internal/tooltest"
)

// recipe is the configuration below a heading of RECIPES in napback.conf(5).
func recipe(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile("../man/napback.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)\n\.Ss ` + heading + `\n.*?\n\.Bd -literal -offset indent\n(.*?)\.Ed`).FindSubmatch(page)
	if m == nil {
		t.Fatalf("there is no recipe for %s", heading)
	}
	return strings.ReplaceAll(string(m[1]), `\e`, `\`)
}

// The recipe for SQLite stores one moment of a database into which somebody writes:
// each transaction whole, and all that belongs to the file.
func TestTheRecipeForSQLite(t *testing.T) {
	sqlite := tooltest.System(t, "sqlite3")
	for _, journal := range []string{"wal", "delete"} {
		s := newSite(t)
		file := filepath.Join(s.dir, "app.db")
		query := func(file, sql string) string {
			t.Helper()
			out, err := exec.CommandContext(t.Context(), sqlite, "-bail", "-cmd", ".timeout 60000", file, sql).CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v: %s", sql, err, out)
			}
			return string(out)
		}
		query(file, "PRAGMA journal_mode="+journal+"; PRAGMA user_version=7; CREATE TABLE a (n INTEGER PRIMARY KEY, b BLOB); CREATE TABLE b (n INTEGER PRIMARY KEY, b BLOB);")
		// Two tables that always have the same rows, many at a time.
		writer := exec.CommandContext(t.Context(), "bash", "-c", `for ((i = 0; ; i += 100)); do
			echo "BEGIN IMMEDIATE; WITH RECURSIVE c(n) AS (SELECT $i UNION ALL SELECT n+1 FROM c WHERE n < $i+99) INSERT INTO a SELECT n, randomblob(500) FROM c;
			INSERT INTO b SELECT n, b FROM a WHERE n >= $i; COMMIT;"; done | "$0" -cmd '.timeout 60000' "$1"`, sqlite, file)
		writer.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end all of it
		s.must(writer.Start())
		stop := sync.OnceFunc(func() {
			_ = syscall.Kill(-writer.Process.Pid, syscall.SIGKILL)
			_ = writer.Wait()
		})
		t.Cleanup(stop)
		tooltest.Until(t, "something is written", func() bool { return query(file, "SELECT count(*) > 300 FROM b") == "1\n" })
		text := recipe(t, "SQLite")
		text = regexp.MustCompile(`(?m)^ *RunAs .*\n`).ReplaceAllString(text, "") // the directory is the test's alone
		s.configure(strings.ReplaceAll(text, "/srv/app/app.db", file))
		for n := range 3 {
			e := s.napback(0, day(n))
			if !strings.Contains(e.out, fmt.Sprintf("Command/app.db-%d-FULL", n)) {
				t.Error(e)
			}
		}
		stop()
		if e := s.cmd(1, "restore", "--load", "app.db"); !strings.Contains(e.stderr, "cannot overwrite existing file") {
			t.Error(e)
		}
		before := 0
		for n := range 3 {
			for _, end := range []string{"", "-wal", "-shm", "-journal"} {
				s.must(os.RemoveAll(file + end))
			}
			s.cmd(0, "restore", "--load", "--at", day(n), "app.db")
			got := query(file, "PRAGMA integrity_check; PRAGMA user_version; SELECT count(*) FROM (SELECT * FROM a EXCEPT SELECT * FROM b); SELECT count(*) FROM (SELECT * FROM b EXCEPT SELECT * FROM a); SELECT count(*) % 100, count(*) FROM a;")
			var rows int
			if _, err := fmt.Sscanf(got, "ok\n7\n0\n0\n0|%d\n", &rows); err != nil || rows <= before {
				t.Errorf("%s, day %d: %q after %d rows: %v", journal, n, got, before, err)
			}
			before = rows
		}
		// A database that is not there is no empty one.
		for _, end := range []string{"", "-wal", "-shm", "-journal"} {
			s.must(os.RemoveAll(file + end))
		}
		if e := s.napback(1, day(3)); !strings.Contains(e.out, "unable to open database") {
			t.Error(e)
		}
		if _, err := os.Lstat(file); err == nil {
			t.Error("it has been made")
		}
	}
}
