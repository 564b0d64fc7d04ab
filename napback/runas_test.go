//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/tooltest"
	"napback/napback/dbtest"
)

// Debian's PostgreSQL lets in the system's user postgres as the role postgres, over
// its socket, and root as nobody.
func TestRootBacksUpAServerThatGoesByTheSystemsUsers(t *testing.T) {
	one := dbtest.PeerPostgreSQL(t)
	dbtest.FillPostgreSQL(one)
	s := newSite(t)
	options := func(server *dbtest.Server) string { return "PostgreSQLOptions -h " + server.Socket }
	s.configure(job("PostgreSQL", "all", "every", options(one)))
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, `role "root" does not exist`) && !strings.Contains(e.stderr, "Peer authentication failed") {
		t.Error(e)
	}
	s.configure(job("PostgreSQL", "postgres@all", "every", options(one)))
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "hint: the server takes this user from programs of the system's user postgres only: RunAs postgres") {
		t.Error(e)
	}
	configure := func(server *dbtest.Server) {
		s.configure("RunAs postgres\n" + job("PostgreSQL", "all", "every", options(server)) + job("PostgreSQL", "shop", "shop", options(server)))
	}
	configure(one)
	s.napback(0, day(0))
	content, roles := dbtest.PostgreSQLContent(one, "shop"), dbtest.PostgreSQLRoles(one)

	two := dbtest.PeerPostgreSQL(t)
	configure(two)
	s.cmd(0, "restore", "--load", "every")
	if diff := cmp.Diff(content, dbtest.PostgreSQLContent(two, "shop")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(roles, dbtest.PostgreSQLRoles(two)); diff != "" {
		t.Error(diff)
	}
	two.Query("", "DROP DATABASE shop")
	s.cmd(0, "restore", "--load", "shop")
	if diff := cmp.Diff(content, dbtest.PostgreSQLContent(two, "shop")); diff != "" {
		t.Error(diff)
	}
	// What -t prints does the same from root's shell.
	configure(one)
	plan := s.napback(0, day(1), "-t").out
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail")
	cmd.Stdin, cmd.Env = strings.NewReader(plan), append(os.Environ(), "PATH="+s.path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, plan)
	}
	s.wantArchives("every-0-FULL", "every-1-FULL", "shop-0-FULL", "shop-1-FULL")
}

// MariaDB's unix_socket does the same.
func TestMariaDBIsAskedAsTheUserWhomItKnows(t *testing.T) {
	tooltest.NeedsRoot(t, "becomes another user")
	s := newSite(t)
	server := dbtest.MariaDB(t)
	server.Query("", "CREATE USER nobody@localhost IDENTIFIED VIA unix_socket; GRANT ALL ON *.* TO nobody@localhost; CREATE DATABASE shop; CREATE TABLE shop.t (a INT); INSERT INTO shop.t VALUES (7);")
	configure := func(as string) {
		s.configure(job("MySQL", server.Socket+":shop", "shop", "MySQLOptions --no-defaults -u nobody", as))
	}
	configure("")
	if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "Access denied for user 'nobody'@'localhost'") {
		t.Error(e)
	}
	configure("RunAs nobody")
	s.napback(0, day(0))
	server.Query("", "DROP DATABASE shop")
	if e := s.cmd(0, "restore", "--load", "shop"); !strings.Contains(e.stderr, ", as nobody@localhost") {
		t.Error(e)
	}
	if got := server.Query("shop", "SELECT a FROM t"); got != "7\n" {
		t.Errorf("it has %q", got)
	}
	configure("RunAs root") // is as without
	if e := s.napback(1, day(1)); !strings.Contains(e.stderr, "Access denied for user 'nobody'@'localhost'") {
		t.Error(e)
	}
}

// open lets other users as far as the programs.
func (s *site) open() {
	s.t.Helper()
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		s.must(os.Chmod(dir, 0o755))
	}
}

// other is a program of the system, with the environment of our tools.
func (s *site) other(program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.t.Context(), program, args...)
	cmd.Env = s.command(s.t.Context(), "napback").Env
	return cmd
}

// The user of RunAs owns the process: nothing that is root's may be in it.
func TestAUserOfRunAsGetsNothingOfRoots(t *testing.T) {
	tooltest.NeedsRoot(t, "becomes another user")
	s := newSite(t)
	s.open()
	const look = `
env | sort
echo directory $(pwd)
echo files $(ls /proc/self/fd)
grep -E '^(Uid|Gid|Groups|Cap(Prm|Eff|Inh|Amb)|TracerPid)' /proc/self/status | tr '\t' ' '
echo terminal $(cut -d' ' -f7 /proc/$$/stat)
(: </dev/tty) 2>/dev/null && echo it has a terminal
kill -0 $PPID 2>/dev/null && echo it can signal napback
cat $SECRET 2>/dev/null
exit 0
`
	program := filepath.Join(s.dir, "look")
	s.must(os.WriteFile(program, []byte("#!/bin/bash\nSECRET="+filepath.Join(s.dir, "secret")+look), 0o755))
	s.must(os.WriteFile(filepath.Join(s.dir, "secret"), []byte("it can read root's files\n"), 0o600))
	s.configure("<Command look>\nRunAs nobody\nRun " + program + "\nLoad " + program + "\n</Command>\n")
	s.env = append(s.env, "AWS_SECRET_ACCESS_KEY=a", "PGPASSWORD=b", "MYSQL_PWD=c", "XDG_RUNTIME_DIR=/run/user/0", "TMPDIR="+s.dir, "LD_PRELOAD=", "TZ=UTC")
	want := "HOME=/nonexistent\nLC_ALL=C\nLOGNAME=nobody\nPATH=" + s.path + "\nSHELL=/bin/sh\nTZ=UTC\nUSER=nobody\n" +
		"directory /\nfiles 0 1 2 3\nTracerPid: 0\nUid: 65534 65534 65534 65534\nGid: 65534 65534 65534 65534\nGroups: 65534 \n" +
		"CapInh: 0000000000000000\nCapPrm: 0000000000000000\nCapEff: 0000000000000000\nCapAmb: 0000000000000000\nterminal 0\n"
	clean := func(text string) string { // what bash itself adds
		var lines []string
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "PWD=") && !strings.HasPrefix(line, "SHLVL=") && !strings.HasPrefix(line, "_=") && !strings.HasPrefix(line, "OLDPWD=") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	// From a shell that has a file of root's open, on a terminal.
	line := shellLine([]string{filepath.Join(binDir(t), "napback"), "-c", s.conf, "--date", day(0)})
	cmd := s.other("script", "-qefc", "exec 9</etc/shadow; "+line, "/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if e := s.cmd(0, "restore", "Command/look"); clean(e.out) != want {
		t.Error(cmp.Diff(want, clean(e.out)))
	}
	// The line of -t, pasted.
	plan := s.napback(0, day(1), "-t", "-f").out
	script := filepath.Join(s.dir, "plan")
	s.must(os.WriteFile(script, []byte("exec 9</etc/shadow\n"+plan), 0o600))
	cmd = s.other("script", "-qefc", "bash -m -eo pipefail "+script, "/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if e := s.cmd(0, "restore", "Command/look"); clean(e.out) != want {
		t.Error(cmp.Diff(want, clean(e.out)))
	}
}

// Nobody but root can become somebody else, and says so instead of storing what
// another user could read.
func TestOnlyRootRunsProgramsAsOthers(t *testing.T) {
	tooltest.NeedsRoot(t, "becomes another user")
	s := newSite(t)
	s.open()
	s.must(os.WriteFile(filepath.Join(s.dir, "c"), []byte("Bucket bk\nDiffDir "+s.dir+"\nEndpoint file://"+s.store+"\n<Command a>\nRunAs daemon\nRun true\n</Command>\n"), 0o644))
	s.must(os.Chown(filepath.Join(s.dir, "c"), 65534, 65534))
	cmd := s.other("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", filepath.Join(binDir(t), "napback"), "-c", filepath.Join(s.dir, "c"), "check")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() == 0 || !strings.Contains(string(out), `RunAs "daemon": only root can run programs as another user`) {
		t.Errorf("%v: %s", err, out)
	}
	// Nor root without the rights for it: the status is none of the program's.
	s.configure("<Command a>\nRunAs nobody\nRun echo it ran\nOkExit 1\n</Command>\n")
	cmd = s.other("setpriv", "--bounding-set=-all,+dac_read_search", "--inh-caps=-all", filepath.Join(binDir(t), "napback"), "-c", s.conf, "--date", day(0))
	out, err = cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "exit status 126: napback: error: become the user \"nobody\": set its groups: operation not permitted") {
		t.Errorf("%v: %s", err, out)
	}
	s.wantArchives()
}
