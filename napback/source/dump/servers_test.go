//go:build unix

package dump_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/tooltest"
	"napback/napback/dbtest"
	"napback/napback/source/dump"
)

// run runs a command with input and returns what it prints.
func run(t *testing.T, c dump.Command, in []byte, env ...string) ([]byte, error) {
	t.Helper()
	var path string
	for _, name := range c.Programs {
		if found, ok := tooltest.Find(name); ok {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatalf("none of %q is there: scripts/install-deps.sh test installs it", c.Programs)
	}
	cmd := exec.Command(path, c.Args...)
	cmd.Env = c.Environ(append(os.Environ(), env...))
	cmd.Stdin = bytes.NewReader(in)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	if err != nil {
		t.Logf("%v: %v\n%s", cmd, err, stderr.String())
	}
	return out.Bytes(), err
}

func must(t *testing.T, c dump.Command, in []byte, env ...string) []byte {
	t.Helper()
	out, err := run(t, c, in, env...)
	if err != nil {
		t.Fatalf("%q: %v", c, err)
	}
	return out
}

// isWhole fails the test unless Copy takes the dump as it is, and refuses it
// without its end.
func isWhole(t *testing.T, data []byte, f dump.Format, revisions string) {
	t.Helper()
	var out bytes.Buffer
	if n, err := dump.Copy(&out, bytes.NewReader(data), f, revisions); err != nil || n != int64(len(data)) {
		t.Fatalf("a whole dump of %d bytes: %d, %v", len(data), n, err)
	}
	if !bytes.Equal(out.Bytes(), data) {
		t.Fatal("Copy has changed the dump")
	}
	for _, lost := range []int{len(data), len(data) / 2, 200, 50} {
		if _, err := dump.Copy(&out, bytes.NewReader(data[:len(data)-lost]), f, revisions); err == nil {
			t.Errorf("a dump of %d bytes that lacks the last %d is taken for a whole one", len(data), lost)
		}
	}
}

func TestMariaDBDumpsLoadIntoAnEmptyServer(t *testing.T) {
	one, two := dbtest.MariaDB(t), dbtest.MariaDB(t)
	dbtest.FillMariaDB(one)
	options := []string{"--no-defaults", "-u", "root"}
	for _, database := range []string{"shop", "odd name-é'\"", "hollow"} {
		from := dump.ParseMySQL(one.Socket+":"+database, options)
		to := dump.ParseMySQL(two.Socket+":"+database, options)
		if out := must(t, to.Present(), nil); len(out) > 0 {
			t.Fatalf("in an empty server: %q", out)
		}
		data := must(t, from.Dump(), nil)
		isWhole(t, data, dump.FormatMySQL, "")
		must(t, to.Load(), data)
		want := dbtest.MariaDBContent(one, database)
		if diff := cmp.Diff(want, dbtest.MariaDBContent(two, database)); diff != "" {
			t.Errorf("%s: %s", database, diff)
		}
		if present := string(must(t, to.Present(), nil)); database != "hollow" && present != database+"\n" {
			t.Errorf("%s is not there: %q", database, present)
		}
	}
	if len(dbtest.MariaDBContent(one, "shop")) < 3<<20 {
		t.Error("the content of shop is not compared in full")
	}
}

func TestMariaDBDumpOfAllHasTheUsers(t *testing.T) {
	one, two := dbtest.MariaDB(t), dbtest.MariaDB(t)
	dbtest.FillMariaDB(one)
	options := []string{"-u", "root", "--no-defaults"}
	data := must(t, dump.ParseMySQL(one.Socket+":all", options).Dump(), nil)
	isWhole(t, data, dump.FormatMySQL, "")
	to := dump.ParseMySQL(two.Socket+":all", options)
	if out := must(t, to.Present(), nil); len(out) > 0 {
		t.Fatalf("in an empty server: %q", out)
	}
	must(t, to.Load(), data)
	for _, database := range []string{"shop", "odd name-é'\"", "hollow"} {
		if diff := cmp.Diff(dbtest.MariaDBContent(one, database), dbtest.MariaDBContent(two, database)); diff != "" {
			t.Errorf("%s: %s", database, diff)
		}
	}
	if diff := cmp.Diff(dbtest.MariaDBUsers(one), dbtest.MariaDBUsers(two)); diff != "" {
		t.Error(diff)
	}
	// The grants are in force.
	ann := dump.MySQL{Socket: two.Socket, Database: "shop", Options: []string{"--no-defaults", "-u", "ann"}}
	if out := must(t, ann.Present(), nil, "MYSQL_PWD=secret of ann"); string(out) != "shop\n" {
		t.Errorf("ann sees %q", out)
	}
}

func TestPostgreSQLDumpLoadsIntoAnEmptyServer(t *testing.T) {
	one, two := dbtest.PostgreSQL(t), dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(one)
	two.Query("", `CREATE ROLE ann; CREATE ROLE "odd ""role"" É";`) // a dump of one database has no roles
	for _, database := range []string{"shop", `odd=na'me "q"`} {
		from := dump.ParsePostgreSQL("postgres@"+database, []string{"-h", one.Socket})
		to := dump.ParsePostgreSQL("postgres@"+database, []string{"-h", two.Socket, "--exclude-table=none", "--lock-wait-timeout", "1000"})
		if out := must(t, to.Present(), nil); len(out) > 0 {
			t.Fatalf("in an empty server: %q", out)
		}
		data := must(t, from.Dump(), nil)
		isWhole(t, data, dump.FormatPostgreSQL, "")
		must(t, to.Load(), data)
		if diff := cmp.Diff(dbtest.PostgreSQLContent(one, database), dbtest.PostgreSQLContent(two, database)); diff != "" {
			t.Errorf("%s: %s", database, diff)
		}
		if present := string(must(t, to.Present(), nil)); present != database+"\n" {
			t.Errorf("%s is not there: %q", database, present)
		}
		if _, err := run(t, to.Load(), data); err == nil {
			t.Errorf("loading %s over itself does not stop", database)
		}
	}
	if len(dbtest.PostgreSQLContent(one, "shop")) < 2_000_000 {
		t.Error("the content of shop is not compared in full")
	}
}

func TestPostgreSQLDumpOfAllHasTheRoles(t *testing.T) {
	one, two := dbtest.PostgreSQL(t), dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(one)
	one.Query("", "COMMENT ON ROLE postgres IS 'the boss'")
	data := must(t, dump.ParsePostgreSQL("postgres@all", []string{"-h", one.Socket}).Dump(), nil)
	isWhole(t, data, dump.FormatPostgreSQLAll, "")
	to := dump.ParsePostgreSQL("postgres@all", []string{"-h", two.Socket})
	if out := must(t, to.Present(), nil); len(out) > 0 {
		t.Fatalf("in an empty server: %q", out)
	}
	if _, err := run(t, to.Load(), data); err == nil {
		t.Error("psql has not stopped at the superuser, who exists: OnceRoles would be needless")
	}
	var once bytes.Buffer
	if err := dump.OnceRoles(&once, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	must(t, to.Load(), once.Bytes())
	for _, database := range []string{"shop", `odd=na'me "q"`, "postgres"} {
		if diff := cmp.Diff(dbtest.PostgreSQLContent(one, database), dbtest.PostgreSQLContent(two, database)); diff != "" {
			t.Errorf("%s: %s", database, diff)
		}
	}
	if diff := cmp.Diff(dbtest.PostgreSQLRoles(one), dbtest.PostgreSQLRoles(two)); diff != "" {
		t.Error(diff)
	}
	if got := strings.Count(string(must(t, to.Present(), nil)), "\n"); got != 2 {
		t.Errorf("%d databases are present, not 2", got)
	}
}
