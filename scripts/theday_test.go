//go:build linux

package scripts

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/dbtest"
)

// disaster is a host with its backups of two days, and what it takes to get them
// back.
type disaster struct {
	t       *testing.T
	server  *storetest.Server
	db      *dbtest.Server
	host    *host // that was backed up
	env     []string
	days    [2]string
	homes   [2]string // what /home held
	reading *strings.Replacer
}

// newDisaster backs up a host on two days, the second time with a DIFF.
func newDisaster(t *testing.T) *disaster {
	t.Helper()
	d := &disaster{t: t, server: storetest.Versitygw(t), db: dbtest.MariaDB(t)}
	d.env = []string{"AWS_ENDPOINT_URL=" + d.server.Endpoint, "AWS_EC2_METADATA_DISABLED=true"}
	g := tooltest.GnuPGHome(t)
	g.GPG(t, nil, "--passphrase", "", "--quick-generate-key", "backup@example.org", "default", "default", "never")
	d.host = newHost(t, append(d.env, "GNUPGHOME="+g.Dir)...)

	second := time.Now()
	if daysSince1970(second)%7 == 0 {
		second = second.AddDate(0, 0, -1) // on the day itself it would be a FULL
	}
	d.days = [2]string{second.AddDate(0, 0, -1).Format(time.DateOnly), second.Format(time.DateOnly)}
	d.reading = strings.NewReplacer("AKIA... ...", d.server.AccessKey+" "+d.server.SecretKey,
		"AKIA... AWS_SECRET_ACCESS_KEY=...", d.server.AccessKey+" AWS_SECRET_ACCESS_KEY="+d.server.SecretKey,
		"eu-central-1", d.server.Region, "2026-11-20", d.days[0],
		"--in-place", "--in-place -y") // nobody is there to say yes

	var conf string
	for _, block := range blocks(text(t, "README.md")) {
		if strings.HasPrefix(block, "Bucket") {
			conf = strings.Replace(d.reading.Replace(block), "    Directory /home", "    Directory /home\n    MySQL shop", 1)
		}
	}
	d.login(d.host)
	d.host.write("/etc/napback/napback.conf", conf+"\n")
	d.host.write("/etc/napback/s3.key", "key="+d.server.AccessKey+"\nsecret="+d.server.SecretKey+"\n")
	d.host.shell(`gpg --export backup@example.org >/etc/napback/backup.pgp; mkdir -m 700 /var/lib/napback
		s3put -K /etc/napback/s3.key --region ` + d.server.Region + ` --create-bucket mybackups:x -- true; s3rm -K /etc/napback/s3.key --region ` + d.server.Region + ` -y mybackups:x`)

	d.host.write("/home/me/thesis.tex", "\\bye\n")
	d.host.write("/home/me/book/one", "chapter one")
	d.host.write("/home/me/book/two", "chapter two")
	d.db.Query("", "CREATE DATABASE shop; CREATE TABLE shop.item (name TEXT); INSERT INTO shop.item VALUES ('first');")
	d.homes[0] = d.host.tree("/home")
	d.host.shell("napback --date " + d.days[0])
	d.host.write("/home/me/thesis.tex", "ruined\n")
	d.host.write("/home/me/book/three", "chapter three")
	d.host.shell("rm /home/me/book/one")
	d.db.Query("shop", "INSERT INTO item VALUES ('second');")
	d.homes[1] = d.host.tree("/home")
	if out := d.host.shell("napback --date " + d.days[1]); !strings.Contains(out, "home-") || !strings.Contains(out, "-DIFF") {
		t.Fatalf("the second backup has no DIFF:\n%s", out)
	}
	return d
}

func daysSince1970(day time.Time) int64 {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
}

// login makes root of a machine that of the database.
func (d *disaster) login(m *host) {
	m.write("/root/.my.cnf", "[client]\nsocket="+d.db.Socket+"\nuser=root\n")
}

func (d *disaster) has(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s is\n%s\ninstead of\n%s", what, got, want)
	}
}

// Every command of "The day you need it" brings back what it says, in the order
// of the README.
func TestTheDayYouNeedIt(t *testing.T) {
	d := newDisaster(t)
	commands := blocks(section(t, "The day you need it"))
	next := func(begin string) string {
		t.Helper()
		if len(commands) == 0 || !strings.HasPrefix(commands[0], begin) {
			t.Fatalf("%q does not come next: %q", begin, commands)
		}
		block := d.reading.Replace(commands[0])
		commands = commands[1:]
		return block
	}
	d.host.shell(next("(umask 077; gpg --export-secret-keys"))
	secret := d.host.read("/root/secret.pgp")
	out := d.host.shell(next("napback drill"))
	if strings.Count(out, "ok ") != 3 || !strings.Contains(out, "MySQL shop") {
		t.Errorf("the drill proved\n%s", out)
	}

	out = d.host.shell(next("napback list home"))
	if !strings.Contains(out, d.days[0]) {
		t.Errorf("the list is\n%s", out)
	}
	d.has("the thesis", d.host.read("/home/me/thesis.tex"), "\\bye\n")

	d.host.shell(next("napback restore /home/me/book"))
	for _, dir := range []string{"/root/book/home/me/book", "/home/me/book"} {
		d.has(dir, d.host.tree(dir), "/one: chapter one\n/two: chapter two\n")
	}

	d.host.shell(next("napback restore shop"))
	d.has("the database", d.db.Query("shop", "SELECT name FROM item;"), "first\n")
	d.has("the one beside it", d.db.Query("shop_old", "SELECT name FROM item;"), "first\n")
	if sql := d.host.read("/root/shop.sql"); !strings.Contains(sql, "first") || strings.Contains(sql, "second") {
		t.Errorf("shop.sql is %s", sql)
	}

	// The new machine's first backup takes the place of one: so it comes last here.
	rescue, everything := next("(umask 077; printf"), next("mkdir -m 700 -p /var/lib/napback")
	d.nothingOfOurs(secret, next("export AWS_ACCESS_KEY_ID"), next("aws s3 ls"))
	d.deadMachine(secret, rescue, everything)
	if len(commands) > 0 {
		t.Errorf("not run: %q", commands)
	}
}

// deadMachine goes on with a new machine and an empty database server.
func (d *disaster) deadMachine(secret, rescue, everything string) {
	d.t.Helper()
	d.db.Kill()
	d.db = dbtest.MariaDBAt(d.t, d.db.Socket)
	h := newHost(d.t, d.env...)
	d.login(h)
	h.write("/etc/machine-id", strings.Repeat("0123456789abcdef", 2)+"\n")
	h.write("/root/secret.pgp", secret)
	if out := h.shell(rescue); !strings.Contains(out, " etc-") {
		d.t.Errorf("s3ls does not tell of /etc:\n%s", out)
	}
	d.has("/etc/napback", h.tree("/etc/napback"), d.host.tree("/etc/napback"))
	out := h.shell(everything)
	d.has("/home", h.tree("/home"), d.homes[1])
	d.has("/etc/napback", h.tree("/root/old-etc/etc/napback"), d.host.tree("/etc/napback"))
	d.has("the database", d.db.Query("shop", "SELECT name FROM item;"), "first\nsecond\n")
	if !strings.Contains(out, "3 jobs: ") || strings.Contains(out, "FAILED") || strings.Contains(out, "warning") {
		d.t.Errorf("the first backup of the new machine:\n%s", out)
	}
}

// nothingOfOurs restores where there are none of our tools.
func (d *disaster) nothingOfOurs(secret, byScript, byHand string) {
	d.t.Helper()
	h := newHost(d.t, append(d.env, "GNUPGHOME="+tooltest.GnuPGHome(d.t).Dir)...)
	h.tools = d.t.TempDir()
	h.write("/root/secret.pgp", secret)
	h.write("/root/restore-without-napback.sh", text(d.t, "scripts", "restore-without-napback.sh"))
	h.shell(byScript)
	d.has("/home", h.tree("/root/new/home"), d.homes[1])

	list, extract, _ := strings.Cut(byHand, "\n")
	var runs []string
	for _, m := range regexp.MustCompile(`home-\d+-(?:FULL|DIFF):\S+`).FindAllString(h.shell(list), -1) {
		runs = append(runs, strings.TrimSuffix(m, ":manifest"))
	}
	// Both may be of one second, which nobody does by hand.
	if len(runs) == 2 && strings.Contains(runs[1], "-FULL:") {
		slices.Reverse(runs)
	}
	if len(runs) != 2 || !strings.Contains(runs[0], "FULL") || !strings.Contains(runs[1], "DIFF") {
		d.t.Fatalf("the archives of /home are %q", runs)
	}
	for _, run := range runs {
		h.shell("mkdir -p byhand; cd byhand\n" + strings.Replace(extract, "home-7-FULL:20261120T031502Z-k3f9", run, 1) + "\ncd")
	}
	d.has("/home", h.tree("/root/byhand/home"), d.homes[1])
}
