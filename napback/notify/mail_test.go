package notify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/cli"
)

// message is what a run with one failed job tells.
func message() Report {
	return Report{
		Host: "web1", Run: "R1", Ending: Failed, Count: 1, Jobs: 3,
		Summary: "job         state\nhome/build  FAILED\n.\n..lonely\nFrom here\nMySQL/größe  ok " + strings.Repeat("x", 2000) + "\n",
		Failures: []Failure{{Job: "home/build", Stage: "tar",
			Lines: []string{"tar: a\x1b[2J\xff: Cannot open", "tar: secret-word"}}},
	}
}

const wantFailure = `
The last lines of tar, of home/build:
    tar: a?[2J?: Cannot open
    tar: ***

-- 
run R1 on web1
`

func mask(text string) string { return strings.ReplaceAll(text, "secret-word", "***") }

// read parses a mail and returns its header and decoded text.
func read(t *testing.T, text string) (netmail.Header, string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if got := m.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
		t.Fatalf("encoding %q", got)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, strings.ReplaceAll(string(body), "\r\n", "\n")
}

// one returns the only mail that the server has got.
func one(t *testing.T, s *mailServer) received {
	t.Helper()
	mails := s.inbox()
	if len(mails) != 1 {
		t.Fatalf("%d mails: %+v", len(mails), mails)
	}
	return mails[0]
}

func TestMailArrivesWhole(t *testing.T) {
	s := startServer(t, serverSetup{host: far, starttls: true, auth: true})
	o := MailOptions{
		To: []string{"root@example.com"}, From: "Backup <backup@example.com>", Server: "smtp://ann%40example.com@" + s.addr,
		PasswordFile: passwordFile(t, password+"\r\n", 0o600), Redact: mask, roots: s.roots,
	}
	if err := SendMail(t.Context(), o, message()); err != nil {
		t.Fatal(err)
	}
	got := one(t, s)
	if got.from != "backup@example.com" || got.to != "root@example.com" || !got.encrypted || got.user != user {
		t.Errorf("envelope %+v", got)
	}
	header, body := read(t, got.text)
	for name, want := range map[string]string{
		"Subject": "napback web1: FAILED (1 of 3 jobs)", "From": `"Backup" <backup@example.com>`, "To": "<root@example.com>",
		"Auto-Submitted": "auto-generated", "Content-Type": "text/plain; charset=UTF-8",
	} {
		if header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, header.Get(name), want)
		}
	}
	if date, err := header.Date(); err != nil || time.Since(date).Abs() > time.Hour || header.Get("Message-ID") == "" {
		t.Errorf("date %v, id %q", date, header.Get("Message-ID"))
	}
	if want := message().Summary + wantFailure; body != want {
		t.Errorf("body:\n%s\nwant:\n%s", body, want)
	}
}

func TestEncryption(t *testing.T) {
	cases := []struct {
		name     string
		setup    serverSetup
		url      string // before the address
		trust    bool
		password string
		want     string // in the error; "" = delivered
		shown    int    // passwords that the server saw
		clear    bool   // delivered unencrypted
	}{
		{"smtps", serverSetup{host: far, smtps: true, auth: true}, "smtps://ann%40example.com@", true, password, "", 1, false},
		{"smtps without user", serverSetup{host: far, smtps: true}, "smtps://", true, "", "", 0, false},
		{"smtps, unknown certificate", serverSetup{host: far, smtps: true}, "smtps://", false, "", "unknown authority", 0, false},
		{"user, unknown certificate", serverSetup{host: far, starttls: true, auth: true}, "smtp://ann%40example.com@", false, password, "unknown authority", 0, false},
		{"user, no STARTTLS", serverSetup{host: far, auth: true}, "smtp://ann%40example.com@", true, password, "STARTTLS", 0, false},
		{"user, no STARTTLS, this host", serverSetup{auth: true}, "smtp://ann%40example.com@", true, password, "", 1, true},
		{"user, this host's own certificate", serverSetup{auth: true, starttls: true}, "smtp://ann%40example.com@", false, password, "", 1, false},
		{"wrong password", serverSetup{host: far, starttls: true, auth: true}, "smtp://ann%40example.com@", true, "hunter22", "535", 1, false},
		{"user that is not asked for", serverSetup{host: far, starttls: true}, "smtp://ann%40example.com@", true, password, "AUTH", 0, false},
		{"no user where one is wanted", serverSetup{host: far, starttls: true, auth: true}, "", true, "", "authenticate", 0, false},
		{"no user, any certificate", serverSetup{host: far, starttls: true}, "", false, "", "", 0, false},
		{"no user, no STARTTLS", serverSetup{host: far}, "smtp://", false, "", "", 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := startServer(t, c.setup)
			o := MailOptions{To: []string{"root@example.com"}, Server: c.url + s.addr}
			if c.password != "" {
				o.PasswordFile = passwordFile(t, c.password, 0o400)
			}
			if c.trust {
				o.roots = s.roots
			}
			err := SendMail(t.Context(), o, message())
			if n := len(s.passwords()); n != c.shown {
				t.Errorf("the server saw %d passwords", n)
			}
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := one(t, s); got.encrypted == c.clear || got.from != "napback@web1" {
					t.Errorf("got %+v", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "mail server "+s.addr+": ") {
				t.Errorf("err = %v, want %q", err, c.want)
			}
			if err != nil && c.password != "" && strings.Contains(err.Error(), c.password) {
				t.Errorf("the error shows the password: %v", err)
			}
			if len(s.inbox()) != 0 {
				t.Errorf("delivered all the same: %+v", s.inbox())
			}
			var hints bytes.Buffer
			cli.PrintError(&hints, "napback", err)
			// A server that offers too little is not the right one.
			if hinted := strings.Contains(hints.String(), "use smtps://"); hinted != (c.want == "STARTTLS" || c.want == "AUTH") {
				t.Errorf("hints: %s", hints.String())
			}
		})
	}
}

func TestRefusedRecipientDoesNotKeepItFromOthers(t *testing.T) {
	s := startServer(t, serverSetup{refuse: "gone@example.com"})
	o := MailOptions{To: []string{"a@example.com", "gone@example.com", "b@example.com"}, Server: s.addr}
	err := SendMail(t.Context(), o, message())
	if err == nil || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("err = %v", err)
	}
	var to []string
	for _, m := range s.inbox() {
		to = append(to, m.to)
	}
	if !slices.Equal(to, []string{"a@example.com", "b@example.com"}) {
		t.Errorf("delivered to %q", to)
	}
}

func TestServerThatIsDownIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	err = SendMail(t.Context(), MailOptions{To: []string{"a@example.com"}, Server: address}, message())
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("err = %v", err)
	}
}

func TestServerThatHangsIsLeft(t *testing.T) {
	stopped := errors.New("stopped")
	t.Run("before its greeting", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		address := scripted(t, func(c net.Conn) {
			cancel(stopped)
			io.Copy(io.Discard, c)
		})
		if err := SendMail(ctx, MailOptions{To: []string{"a@example.com"}, Server: address}, message()); !errors.Is(err, stopped) {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("with TLS", func(t *testing.T) {
		address := scripted(t, func(c net.Conn) { io.Copy(io.Discard, c) })
		o := MailOptions{To: []string{"a@example.com"}, Server: "smtps://" + address, Timeout: 100 * time.Millisecond}
		if err := SendMail(t.Context(), o, message()); err == nil || !strings.Contains(err.Error(), "not done within 100ms") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("with the mail in hand", func(t *testing.T) {
		s := startServer(t, serverSetup{hang: true})
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-s.data; cancel(stopped) }()
		if err := SendMail(ctx, MailOptions{To: []string{"a@example.com"}, Server: s.addr}, message()); !errors.Is(err, stopped) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestMailThatWasTakenIsSentHoweverTheServerLeaves(t *testing.T) {
	address := scripted(t, obey) // which closes instead of saying bye
	if err := SendMail(t.Context(), MailOptions{To: []string{"a@example.com"}, Server: address}, message()); err != nil {
		t.Error(err)
	}
}

func TestNoTextBecomesAHeader(t *testing.T) {
	s := startServer(t, serverSetup{})
	m := message()
	m.Host = "web1\r\nBcc: evil@example.com\r\n\r\nbody"
	o := MailOptions{To: []string{"a@example.com"}, From: "b@example.com", Server: s.addr}
	if err := SendMail(t.Context(), o, m); err != nil {
		t.Fatal(err)
	}
	header, _ := read(t, one(t, s).text)
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || header.Get("Bcc") != "" || subject != "napback web1 Bcc: evil@example.com body: FAILED (1 of 3 jobs)" {
		t.Errorf("subject %q, Bcc %q, %v", subject, header.Get("Bcc"), err)
	}
	const evil = "a@example.com\r\nBcc: evil@example.com"
	for _, o := range []MailOptions{
		{To: []string{evil}, Server: s.addr},
		{To: []string{"x\r\nBcc: e@f <a@example.com>"}, Server: s.addr},
		{To: []string{"a@example.com"}, From: evil, Server: s.addr},
		{To: []string{"a@example.com, b@example.com"}, Server: s.addr},
		{To: []string{""}, Server: s.addr},
		{Server: s.addr},
	} {
		if err := SendMail(t.Context(), o, message()); err == nil {
			t.Errorf("%+v was sent", o)
		}
	}
	if err := SendMail(t.Context(), MailOptions{To: []string{"a@example.com"}, Server: s.addr}, m); err == nil {
		t.Error("a host's name with line ends became the sender")
	}
	if len(s.inbox()) != 1 {
		t.Errorf("inbox %+v", s.inbox())
	}
}

func TestSecretsAreMaskedBeforeTheTextIsCut(t *testing.T) {
	s := startServer(t, serverSetup{})
	m := message()
	m.Host, m.Failures = "secret-word", nil
	m.Summary = strings.Repeat("y", maxBody-len("\n[cut]\n")-5) + "secret-word" + strings.Repeat("z", 1000)
	o := MailOptions{To: []string{"a@example.com"}, From: "b@example.com", Server: s.addr, Redact: mask}
	if err := SendMail(t.Context(), o, m); err != nil {
		t.Fatal(err)
	}
	header, body := read(t, one(t, s).text)
	if len(body) > maxBody+2 || !strings.HasSuffix(strings.TrimSpace(body), "[cut]") || strings.Contains(body, "secre") || !strings.Contains(header.Get("Subject"), "***") {
		t.Errorf("%d bytes, ends %q, subject %q", len(body), body[len(body)-40:], header.Get("Subject"))
	}
}

func TestPasswordFileIsForItsOwnerOnly(t *testing.T) {
	s := startServer(t, serverSetup{host: far, starttls: true, auth: true})
	for _, c := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{password + "\n", 0o640, "others can read"},
		{password + "\n", 0o604, "others can read"},
		{"\nx\n", 0o600, "empty"},
		{"", 0o600, "empty"},
	} {
		o := MailOptions{To: []string{"a@example.com"}, Server: "smtp://ann%40example.com@" + s.addr, PasswordFile: passwordFile(t, c.text, c.mode), roots: s.roots}
		if err := SendMail(t.Context(), o, message()); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%q %v: %v", c.text, c.mode, err)
		}
	}
	if os.Geteuid() == 0 { // who else could give it away
		file := passwordFile(t, password+"\n", 0o600)
		if err := os.Chown(file, 12345, 0); err != nil {
			t.Fatal(err)
		}
		o := MailOptions{To: []string{"a@example.com"}, Server: "smtp://ann%40example.com@" + s.addr, PasswordFile: file, roots: s.roots}
		if err := SendMail(t.Context(), o, message()); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
			t.Errorf("another user's file: %v", err)
		}
	}
	if len(s.passwords()) != 0 {
		t.Error("a password was used")
	}
}

func TestParseServer(t *testing.T) {
	good := map[string]Server{
		"mail":                              {"mail", 25, "", false},
		"mail.example.com:2525":             {"mail.example.com", 2525, "", false},
		"[::1]:25":                          {"::1", 25, "", false},
		"smtp://mail/":                      {"mail", 25, "", false},
		"smtp://ann@mail":                   {"mail", 587, "ann", false},
		"smtp://ann@example.com@mail:26":    {"mail", 26, "ann@example.com", false},
		"smtps://ann%40example.com@mail":    {"mail", 465, "ann@example.com", true},
		"SMTPS://mail":                      {"mail", 465, "", true},
		"smtps://ann@[2001:db8::1]:1465":    {"2001:db8::1", 1465, "ann", true},
		"smtp://m%C3%BCller@mail.example":   {"mail.example", 587, "müller", false},
		"smtp://DOMAIN%5Cann@mail.example/": {"mail.example", 587, `DOMAIN\ann`, false},
	}
	for text, want := range good {
		if got, err := ParseServer(text); got != want || err != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ":25", "smtp://", "http://mail", "mail:0", "mail:65536", "mail:x", "smtp://mail/path", "mail?x", "mail#x", "::1:25:",
		"smtp://ann:hidden@mail", "ann:hidden@mail:x", "smtp://ann:hidden%zz@mail", "a mail", "a,b", "mail\r\nx", "smtp://user@a%0d%0ab",
	} {
		if got, err := ParseServer(text); err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestCheckTellsEverythingThatIsWrong(t *testing.T) {
	err := MailOptions{To: []string{"a@example.com", "no body", "root"}, From: "x", Server: "smtp://ann@mail"}.Check()
	for _, want := range []string{`MailTo "no body"`, `MailTo "root"`, `MailFrom "x"`, "MailPasswordFile"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %s in %v", want, err)
		}
	}
	if err := (MailOptions{Server: "mail", PasswordFile: "/x"}).Check(); err == nil {
		t.Error("a password without a user")
	}
	if err := (MailOptions{To: []string{"Ann <a@example.com>"}, From: "b@example.com", Server: "smtps://ann@mail", PasswordFile: "/x"}).Check(); err != nil {
		t.Error(err)
	}
}

func TestDueAndSubject(t *testing.T) {
	due := map[string]string{"failure": "FAILED", "warning": "warnings FAILED", "always": "ok warnings FAILED", "": "ok warnings FAILED"}
	for on, want := range due {
		var got []string
		for _, v := range []Ending{OK, Warnings, Failed} {
			if Due(on, v) {
				got = append(got, v.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", on, got)
		}
	}
	m := Report{Host: "h", Ending: Warnings, Count: 2, Jobs: 9}
	if got := m.Subject(); got != "napback h: warnings (2 of 9 jobs)" {
		t.Error(got)
	}
}
