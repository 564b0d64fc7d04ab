//go:build linux

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"napback/internal/storetest"
	"napback/napback/dbtest"
)

// findings are the lines of check that begin so.
func (e ended) findings(state, what string) (found []string) {
	for line := range strings.Lines(e.out) {
		if strings.HasPrefix(line, state+" ") && strings.HasPrefix(strings.TrimLeft(line[len(state):], " "), what) {
			found = append(found, line)
		}
	}
	return found
}

// A dump needs more than a login, and less than a look at all rows.
func TestCheckTriesDatabasesAsADumpWould(t *testing.T) {
	s := newSite(t)
	my := dbtest.MariaDB(t)
	dbtest.FillMariaDB(my)
	my.Query("", "CREATE USER writer@localhost, few@localhost; CREATE DATABASE plain; CREATE TABLE plain.t (a INT);"+
		"GRANT SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, INSERT ON plain.* TO writer@localhost;"+
		"GRANT SELECT, LOCK TABLES, SHOW VIEW, TRIGGER ON shop.* TO few@localhost;")
	pg := dbtest.PostgreSQL(t)
	dbtest.FillPostgreSQL(pg)
	pg.Query("", "CREATE ROLE bob LOGIN")
	r := dbtest.Subversion(t, filepath.Join(s.dir, "repository"))
	host := "PostgreSQLOptions -h " + pg.Socket
	s.configure(job("MySQL", my.Socket+":shop", "my-one", asRoot) + job("MySQL", my.Socket+":all", "my-all", asRoot) +
		job("MySQL", my.Socket+":wrong", "my-wrong", asRoot) +
		job("PostgreSQL", "postgres@shop", "pg-one", host) + job("PostgreSQL", "postgres@all", "pg-all", host) +
		job("PostgreSQL", "bob@shop", "pg-bob", host) + job("PostgreSQL", "postgres@wrong", "pg-wrong", host) +
		job("Subversion", r.Path, "svn") + s.block())
	e := s.cmd(1, "check")
	for _, ok := range []string{"MySQL " + my.Socket + ":shop", "MySQL " + my.Socket + ":all", "PostgreSQL postgres@shop", "PostgreSQL postgres@all", "Subversion ", "Directory "} {
		if len(e.findings("ok", ok)) != 1 {
			t.Errorf("no ok %s", ok)
		}
	}
	for bad, why := range map[string]string{"MySQL " + my.Socket + ":wrong": "Unknown database", "PostgreSQL bob@shop": "permission denied", "PostgreSQL postgres@wrong": "does not exist"} {
		if len(e.findings("BAD", bad)) != 1 || !strings.Contains(e.stderr, why) {
			t.Errorf("no BAD %s", bad)
		}
	}
	if t.Failed() {
		t.Log(e)
	}
	// What is well can be backed up, and what was backed up is whole.
	s.configure(job("MySQL", my.Socket+":shop", "my-one", asRoot) + job("MySQL", my.Socket+":all", "my-all", asRoot) +
		job("PostgreSQL", "postgres@shop", "pg-one", host) + job("PostgreSQL", "postgres@all", "pg-all", host))
	s.napback(0, day(0))
	if e := s.cmd(0, "verify", "--unpack"); strings.Count(e.out, "ok ") != 4 {
		t.Error(e)
	}
	for user, c := range map[string]struct{ database, why string }{"writer": {"plain", "SELECT command denied"}, "few": {"shop", "Access denied"}} {
		s.configure(job("MySQL", my.Socket+":"+c.database, "job", "MySQLOptions --no-defaults -u "+user))
		if e := s.cmd(1, "check"); len(e.findings("BAD", "MySQL ")) != 1 || !strings.Contains(e.stderr, c.why) {
			t.Errorf("%s: %v", user, e)
		}
	}
	// The other part of a dump alone.
	s.configure(job("PostgreSQL", "postgres@shop", "job", host, "PostgreSQLOptions --data-only -h "+pg.Socket))
	s.cmd(0, "check")
}

// What credentials allow is found out, and nothing is left that they can remove.
func TestCheckWritesAsFarAsCredentialsAllow(t *testing.T) {
	server, bucket := storetest.Versitygw(t), "mybackups"
	_, err := server.Client(server.Owner()).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	names := func() string {
		s.env = []string{"AWS_ENDPOINT_URL_S3=" + server.Endpoint, "AWS_ACCESS_KEY_ID=" + server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + server.SecretKey, "AWS_REGION=" + server.Region}
		defer func() { s.env = nil }()
		return s.tool("s3ls", "mybackups").out
	}
	configure := func(keys string) {
		s.must(os.WriteFile(s.conf, []byte("Bucket mybackups\nEndpoint "+server.Endpoint+"\nRegion "+server.Region+"\nS3KeyFile "+keys+"\nDiffDir "+s.diffs+"\nPrefix hosts/%h\n"+s.block()), 0o600))
	}
	configure(server.KeyFile(t))
	if e := s.cmd(0, "check"); names() != "" || len(e.findings("ok", "writing")) != 0 {
		t.Errorf("%s%v", names(), e)
	}
	e := s.cmd(0, "check", "--write")
	if !strings.Contains(strings.Join(e.findings("ok", "writing to bucket mybackups"), ""), ", below hosts/") ||
		!strings.Contains(e.out, ": stored, read back, removed\n") || !strings.Contains(e.stderr, "can delete backups") || names() != "" {
		t.Errorf("%s%v", names(), e)
	}
	configure(server.User(t, bucket, "s3:ListBucket", "s3:PutObject").KeyFile(t))
	e = s.cmd(0, "check", "--write")
	if !strings.Contains(e.out, ": stored, cannot be read (good), cannot be removed (good): mybackups:hosts/") || !strings.Contains(names(), "/napback-check-") ||
		strings.Contains(e.stderr, "can delete") {
		t.Errorf("%s%v", names(), e)
	}
	configure(server.User(t, bucket, "s3:ListBucket", "s3:GetObject", "s3:GetBucketLocation").KeyFile(t))
	before := names()
	if e = s.cmd(1, "check", "--write"); len(e.findings("BAD", "writing")) != 1 || !strings.Contains(e.stderr, "access denied") || names() != before {
		t.Errorf("%s%v", names(), e)
	}
	configure(server.User(t, bucket, "s3:PutObject").KeyFile(t))
	if e = s.cmd(3, "check"); len(e.findings("WARN", "bucket mybackups")) != 1 || !strings.Contains(e.stderr, "only with --write") {
		t.Error(e)
	}
	if e = s.cmd(0, "check", "--write"); len(e.findings("ok", "writing")) != 1 || names() == before {
		t.Error(e)
	}
}

func TestCheckTellsWhenARecipientExpires(t *testing.T) {
	s := newSite(t, encrypted)
	s.newKey("")
	if e := s.cmd(0, "check"); len(e.findings("ok", "recipient ")) != 1 || !strings.Contains(e.out, "never expires") {
		t.Error(e)
	}
	print := s.gnupg.Prints(t, "backup@example.org")
	for days, want := range map[string]string{"10d": "WARN", "60d": "ok"} {
		s.gnupg.GPG(t, nil, "--quick-set-expire", print[0], days)
		s.gnupg.GPG(t, nil, "--quick-set-expire", print[0], days, "*")
		e := s.tool("napback", "-c", s.conf, "check")
		if len(e.findings(want, "recipient "+print[0])) != 1 || !strings.Contains(e.out, "it expires on 20") || (e.code == 3) != (want == "WARN") {
			t.Errorf("%s: %v", days, e)
		}
	}
}

// The bucket says how large the backups are.
func TestCheckWarnsWhereSpaceIsShort(t *testing.T) {
	s := newSite(t, "UseTempFile on", "TempDir /tmp")
	s.write("a", "x")
	s.napback(0, day(0))
	if e := s.cmd(0, "check"); len(e.findings("ok", "space for ")) != 3 {
		t.Error(e)
	}
	s.manifests(func(m map[string]any) bool {
		m["bytes"], m["chunks"] = int64(25_000_000*45_000_000), 45_000_000
		return true
	})
	e := s.cmd(3, "check")
	found := slices.Concat(e.findings("WARN", "space for the bucket"), e.findings("WARN", "space for TempDir"))
	if len(found) != 2 || !strings.Contains(e.stderr, "the newest FULL of job takes 1.1 PB") {
		t.Error(e)
	}
}

// The mail server and the service that is called are those of real runs; nobody is
// told anything who need not be.
func TestCheckTellsPeopleOnlyIfItIsAskedTo(t *testing.T) {
	s := newSite(t)
	var calls atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer service.Close()
	m := newMailbox(t, "let me in")
	s.configure(s.mailing(m, "failure") + "PingURL " + service.URL + "/of-the-whole-run\n" + s.block("PingURL "+service.URL+"/of-the-job-alone"))
	e := s.cmd(0, "check")
	if len(m.received()) != 0 || calls.Load() != 0 || len(e.findings("ok", "MailServer "+m.addr)) != 1 || len(e.findings("ok", "PingURL at ")) != 2 ||
		strings.Contains(e.out+e.stderr, "of-the") || strings.Contains(e.out+e.stderr, "let me in") {
		t.Error(e)
	}
	e = s.cmd(0, "check", "--mail")
	mails := m.received()
	if len(mails) != 1 || !strings.Contains(mails[0], ": a test\n") || calls.Load() != 0 {
		t.Errorf("mails %q, %v", mails, e)
	}
	if s.cmd(0, "check", "--ping"); len(m.received()) != 0 || calls.Load() != 2 {
		t.Errorf("%d calls", calls.Load())
	}
	m.wants("another")
	if e = s.cmd(1, "check"); len(e.findings("BAD", "MailServer")) != 1 || strings.Contains(e.out+e.stderr, "let me in") {
		t.Error(e)
	}
}
