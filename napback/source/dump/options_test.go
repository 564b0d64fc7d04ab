package dump_test

import (
	"slices"
	"strings"
	"testing"

	"napback/napback/source/dump"
)

func TestOptionsThatBreakOrBetrayADumpAreRefused(t *testing.T) {
	for _, o := range []string{"-p", "-psecret", "-vpsecret", "--password", "--password=x", "--pass=x", "--password1=x",
		"-r", "-r/tmp/x", "--result-file=/tmp/x", "--tab=/tmp", "-T/tmp", "--dir=/tmp", "--xml", "-X",
		"--compact", "--skip-comments", "--comments=0"} {
		if dump.CheckMySQLOption(o) == nil {
			t.Errorf("MySQLOptions %s is taken", o)
		}
	}
	for _, o := range []string{"-uroot", "-upeter", "-hreplica", "-P3306", "-S/run/p.sock", "--user=pass", "--protocol=tcp",
		"--ignore-table=a.b", "-wp=1", "--where=p", "--defaults-file=/etc/p.cnf", "--no-data", "root", "-v"} {
		if err := dump.CheckMySQLOption(o); err != nil {
			t.Errorf("MySQLOptions %s: %v", o, err)
		}
	}
	for _, o := range []string{"-W", "--password", "--pass", "-vW", "-d", "-dshop", "--dbname=password=x", "--dbname", "-f", "-f/tmp/x",
		"--file=x", "-Fc", "--format=c", "-j2", "-j", "--jobs=2", "-Z9", "--compress=9"} {
		if dump.CheckPostgreSQLOption(o) == nil {
			t.Errorf("PostgreSQLOptions %s is taken", o)
		}
	}
	for _, o := range []string{"-hWf", "-Udfred", "-p5432", "-tfj", "-nFred", "--host=d", "--no-password", "-w", "--port=1", "--exclude-table=x", "-v", "-EUTF8", "x"} {
		if err := dump.CheckPostgreSQLOption(o); err != nil {
			t.Errorf("PostgreSQLOptions %s: %v", o, err)
		}
	}
}

func TestCommandLines(t *testing.T) {
	my := dump.ParseMySQL("/run/a:b.sock:shop", []string{"-u", "root", "--ignore-table=shop.x", "--defaults-extra-file=/etc/x", "-Phost", "--ssl-ca=/ca", "--host", "h"})
	pg := dump.ParsePostgreSQL("ann@a=b'c", []string{"-h", "h", "-t", "x", "--port=1"})
	for _, c := range []struct {
		name    string
		command dump.Command
		want    string
	}{
		{"MySQL dump", my.Dump(), "--defaults-extra-file=/etc/x --single-transaction --quick --routines --events --triggers --hex-blob --default-character-set=utf8mb4 --max-allowed-packet=1G" +
			" -u root --ignore-table=shop.x -Phost --ssl-ca=/ca --host h --socket=/run/a:b.sock --databases shop"},
		{"MySQL load", my.Load(), "--defaults-extra-file=/etc/x --batch --binary-mode --local-infile=0 --skip-force --default-character-set=utf8mb4 --max-allowed-packet=1G" +
			" -u root -Phost --ssl-ca=/ca --host h --socket=/run/a:b.sock"},
		{"MySQL all", dump.ParseMySQL("all", nil).Dump(), "--single-transaction --quick --routines --events --triggers --hex-blob --default-character-set=utf8mb4 --max-allowed-packet=1G --flush-privileges --all-databases"},
		{"PostgreSQL dump", pg.Dump(), `--no-password -h h -t x --port=1 --username=ann --create --dbname=dbname='a=b\'c'`},
		{"PostgreSQL load", pg.Load(), "--no-psqlrc --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --no-password -h h --port=1 --username=ann --dbname=postgres"},
		{"PostgreSQL all", dump.ParsePostgreSQL("ann@all", nil).Dump(), "--no-password --username=ann"},
		{"FULL", dump.Subversion("/r").Dump(0, 7), "dump --quiet --revision 0:7 /r"},
		{"DIFF", dump.Subversion("/r").Dump(8, 9), "dump --quiet --incremental --revision 8:9 /r"},
	} {
		if got := strings.Join(c.command.Args, " "); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if !slices.Equal(pg.Dump().Programs, []string{"pg_dump"}) || !slices.Equal(dump.ParsePostgreSQL("all", nil).Dump().Programs, []string{"pg_dumpall"}) {
		t.Error("the wrong program dumps a PostgreSQL")
	}
}
