//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/napback/dbtest"
)

// TestADrillLoadsDumps: into servers and repositories of its own, of which nothing
// is left, and which are not those that the dumps are of.
func TestADrillLoadsDumps(t *testing.T) {
	s := newSite(t)
	secret := s.newKey("")
	maria, postgres := dbtest.MariaDB(t), dbtest.PostgreSQL(t)
	dbtest.FillMariaDB(maria)
	dbtest.FillPostgreSQL(postgres)
	r := dbtest.Subversion(t, filepath.Join(s.dir, "repository"))
	r.Fill(0)
	// A root of its own password comes with the dump of all databases.
	maria.Query("", "CREATE USER backup@localhost; GRANT ALL ON *.* TO backup@localhost WITH GRANT OPTION; ALTER USER root@localhost IDENTIFIED BY 'x';")
	asBackup := strings.Replace(asRoot, "root", "backup", 1)
	options := "PostgreSQLOptions -h " + postgres.Socket
	s.configure(encrypted + "\n" + job("MySQL", maria.Socket+":shop", "mshop", asBackup) + job("MySQL", maria.Socket+":all", "mall", asBackup) +
		job("PostgreSQL", "postgres@shop", "pshop", options) + job("PostgreSQL", "postgres@all", "pall", options) +
		"<Subversion " + r.Path + ">\nName svn\nDiffs 3\n</Subversion>\n")
	s.napback(0, day(0))
	r.Fill(1)
	s.napback(0, day(1))
	open := exec.Command("mariadb", "--no-defaults", "--socket="+maria.Socket, "--user=backup", "-e", "ALTER USER root@localhost IDENTIFIED BY ''")
	if out, err := open.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before := dbtest.MariaDBContent(maria, "shop") + dbtest.PostgreSQLContent(postgres, "shop")
	scratch, err := os.MkdirTemp("/tmp", "dr") // where nobody can get to
	s.must(err)
	t.Cleanup(func() { os.RemoveAll(scratch) })
	s.must(os.Chmod(scratch, 0o711))
	here, err := os.Getwd()
	s.must(err)
	relative, err := filepath.Rel(here, scratch)
	s.must(err)
	e := s.cmd(0, "drill", "-k", secret, "--dir", relative)
	for _, want := range []string{
		"ok     mshop as of " + day(1) + ": loaded into a server of its own: 1 database, ",
		"(shop)",
		"ok     mall as of " + day(1) + ": loaded into a server of its own, with its users: nobody else",
		"ok     pshop as of " + day(1) + ": loaded into a server of its own: 1 database (shop)",
		"ok     pall as of " + day(1) + ": loaded into a server of its own: 2 databases",
		"ok     svn as of " + day(1) + ": revisions 0 to ", "svnadmin verifies them", "is as in the repository",
		"To recover 5 jobs on a machine like this one takes about ",
	} {
		if !strings.Contains(e.out, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(e)
	}
	if after := dbtest.MariaDBContent(maria, "shop") + dbtest.PostgreSQLContent(postgres, "shop"); after != before {
		t.Error("the live servers have changed")
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
