//go:build linux

package main

import (
	"os"
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
	options := "PostgreSQLOptions -h " + postgres.Socket
	s.configure(encrypted + "\n" + job("MySQL", maria.Socket+":shop", "mshop", asRoot) + job("MySQL", maria.Socket+":all", "mall", asRoot) +
		job("PostgreSQL", "postgres@shop", "pshop", options) + job("PostgreSQL", "postgres@all", "pall", options) +
		"<Subversion " + r.Path + ">\nName svn\nDiffs 3\n</Subversion>\n")
	s.napback(0, day(0))
	r.Fill(1)
	s.napback(0, day(1))
	before := dbtest.MariaDBContent(maria, "shop") + dbtest.PostgreSQLContent(postgres, "shop")
	scratch, err := os.MkdirTemp("/tmp", "dr") // where nobody can get to
	s.must(err)
	t.Cleanup(func() { os.RemoveAll(scratch) })
	s.must(os.Chmod(scratch, 0o711))
	e := s.cmd(0, "drill", "-k", secret, "--dir", scratch)
	for _, want := range []string{
		"ok     mshop as of " + day(1) + ": loaded into a server of its own: 1 database, ",
		"(shop)",
		"ok     mall as of " + day(1) + ": loaded into a server of its own: 2 databases, ",
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
