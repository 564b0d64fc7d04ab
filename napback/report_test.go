//go:build linux

package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"napback/napback/state"
)

// mailbox is a real SMTP server with a user.
type mailbox struct {
	addr     string
	password string
	mu       sync.Mutex
	mails    []string
}

func newMailbox(t *testing.T, password string) *mailbox {
	t.Helper()
	m := &mailbox{password: password}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{box: m}, nil }))
	server.Domain, server.AllowInsecureAuth = "localhost", true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return m
}

// wants changes the password.
func (m *mailbox) wants(password string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.password = password
}

func (m *mailbox) lets(user, password string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return user == "ann" && password == m.password
}

// received returns the mails so far and forgets them.
func (m *mailbox) received() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	mails := m.mails
	m.mails = nil
	return mails
}

type mailSession struct {
	box *mailbox
	in  bool
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
func (s *mailSession) AuthMechanisms() []string {
	return []string{sasl.Plain}
}
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if !s.box.lets(user, password) {
			return errors.New("wrong password")
		}
		s.in = true
		return nil
	}), nil
}
func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (s *mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	header, body, _ := strings.Cut(string(text), "\r\n\r\n")
	plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, strings.ReplaceAll(header+"\r\n\r\n"+string(plain), "\r\n", "\n"))
	return err
}

// mailing are the directives that mail to a box.
func (s *site) mailing(m *mailbox, on string) string {
	file := filepath.Join(s.dir, "mail.password")
	s.must(os.WriteFile(file, []byte(m.password+"\n"), 0o600))
	return fmt.Sprintf("MailTo ann@example.com\nMailServer smtp://ann@%s\nMailPasswordFile %s\nMailOn %s\n", m.addr, file, on)
}

func TestOneMailARunTellsHowItWent(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	m := newMailbox(t, "let me in")
	host, err := os.Hostname()
	s.must(err)
	second := "<Directory " + s.diffs + ">\nName other\n</Directory>\n"
	s.configure(s.mailing(m, "always") + s.block() + second)
	s.napback(0, day(0))
	mails := m.received()
	if len(mails) != 1 || !strings.Contains(mails[0], "Subject: napback "+host+": ok (2 of 2 jobs)\n") || !strings.Contains(mails[0], "job-0-FULL") {
		t.Fatalf("mails %q", mails)
	}
	s.configure(s.mailing(m, "failure") + s.block() + second)
	s.napback(0, day(1))
	if mails := m.received(); len(mails) != 0 {
		t.Errorf("mails %q", mails)
	}
	s.fake("zstd", `cat >/dev/null; echo "one" >&2; echo "no memory" >&2; exit 1`)
	s.configure(s.mailing(m, "failure") + s.block() + "<Directory " + s.diffs + ">\nName other\nCompression none\n</Directory>\n")
	s.napback(1, day(2))
	mails = m.received()
	if len(mails) != 1 || !strings.Contains(mails[0], "FAILED (1 of 2 jobs)\n") || !regexp.MustCompile(`\nThe last lines of zstd, of Directory .*/src:\n    one\n    no memory\n`).MatchString(mails[0]) ||
		!strings.Contains(mails[0], "other-2-") {
		t.Fatalf("mails %q", mails)
	}
	_, body, _ := strings.Cut(mails[0], "\n\n")
	for line := range strings.Lines(body) {
		if len(line) > 81 {
			t.Errorf("more than 80 columns: %q", line)
		}
	}
	if strings.Count(body, "no memory") != 2 || strings.Count(body, "exit status 1") != 1 { // the reason, and the line in its context
		t.Errorf("the reason stands more than once:\n%s", body)
	}
}

func TestMailOfWarningsAndOfRunsThatStartNothing(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	m := newMailbox(t, "let me in")
	s.configure(s.mailing(m, "warning") + s.block("RunAfter false"))
	s.napback(3, day(0))
	if mails := m.received(); len(mails) != 1 || !strings.Contains(mails[0], "warnings (1 of 1 jobs)") {
		t.Errorf("mails %q", mails)
	}
	s.configure(s.mailing(m, "failure") + "GpgRecipient nobody@example.org\nGpgKeyring " + s.dir + "/none.gpg\n" + s.block())
	s.must(os.WriteFile(filepath.Join(s.dir, "none.gpg"), nil, 0o600))
	if e := s.tool("napback", "-c", s.conf); e.code == 0 || e.code == 1 {
		t.Error(e)
	}
	if mails := m.received(); len(mails) != 1 || !strings.Contains(mails[0], "FAILED (1 of 1 jobs)") || !strings.Contains(mails[0], "nothing was started") {
		t.Errorf("mails %q", mails)
	}
	// -t tells nobody.
	s.tool("napback", "-c", s.conf, "-t")
	if mails := m.received(); len(mails) != 0 {
		t.Errorf("mails %q", mails)
	}
}

// The run that has the lock tells about itself.
func TestARunThatIsLockedOutOnlyMails(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	m, p, log := newMailbox(t, "let me in"), newMonitor(t), filepath.Join(s.dir, "log")
	s.configure(s.mailing(m, "failure") + "PingURL " + p.URL + "/run\nLogFile " + log + "\n" + s.block())
	dir, err := state.Open(s.diffs)
	s.must(err)
	release, ok, err := dir.Lock()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer release()
	s.napback(7, day(0))
	if mails := m.received(); len(mails) != 1 || !strings.Contains(strings.Join(strings.Fields(mails[0]), " "), "another napback is running") {
		t.Errorf("mails %q", mails)
	}
	if calls, _ := p.heard(); len(calls) != 0 {
		t.Errorf("calls %q", calls)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("it wrote the other's log")
	}
}

func TestALogFileGetsEverythingAndStderrWhatMatters(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	log := filepath.Join(s.dir, "napback.log")
	s.configure("LogFile " + log + "\nLogFormat json\n" + s.block() + "<Directory " + s.diffs + ">\nName loud\nLogLevel debug\n</Directory>\n<Directory /none>\n</Directory>\n")
	e := s.napback(1, day(0))
	for line := range strings.Lines(e.stderr) {
		if !regexp.MustCompile(`^napback: (error|warning|hint): `).MatchString(line) {
			t.Errorf("stderr has %q", line)
		}
	}
	runs, stages, failed := map[string]bool{}, map[string]bool{}, ""
	for line := range strings.Lines(s.read(log)) {
		var l struct{ Run, Job, Kind, Stage, Level, Msg string }
		s.must(json.Unmarshal([]byte(line), &l))
		runs[l.Run] = true
		if l.Stage != "" {
			stages[l.Job+" "+l.Stage] = true
		}
		if l.Level == "DEBUG" && l.Job != "loud" {
			t.Errorf("a debug line of a job that is not debugged: %s", line)
		}
		if l.Level == "ERROR" {
			failed += l.Job + ": " + l.Kind + ": " + l.Msg
		}
	}
	if len(runs) != 1 || runs[""] || !stages["loud s3put"] || stages["job s3put"] {
		t.Errorf("runs %v, stages %v", runs, stages)
	}
	if !strings.HasPrefix(failed, "none: Directory: the source has vanished") {
		t.Errorf("errors %q", failed)
	}
	if info, err := os.Stat(log); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	// The next run goes on in the same file, as text, with an id of its own.
	s.configure("LogFile " + log + "\n" + s.block())
	s.napback(0, day(1))
	end := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\S+ INFO \d{8}T\d{6}Z-\w{4} job: ends: ok .*archive=job-1-DIFF`)
	if text := s.read(log); !end.MatchString(text) {
		t.Errorf("no end of the job in %q", text)
	}
}

func TestSyslogIsUsed(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	// A /dev/log of our own, where only this napback sees it.
	dev := filepath.Join(s.dir, "dev")
	s.must(os.MkdirAll(dev, 0o755))
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dev, "log"), Net: "unixgram"})
	s.must(err)
	defer l.Close()
	s.configure("Syslog on\n" + s.block())
	script := `mkdir "$1/root"; mount --rbind / "$1/root"; mount --make-rprivate "$1/root"
		mount --bind /dev/null "$1/dev/null"; mount --rbind "$1/dev" "$1/root/dev"
		exec chroot "$1/root" "$2" -c "$3" --date "$4"`
	s.must(os.WriteFile(filepath.Join(dev, "null"), nil, 0o644))
	out, err := inMountNamespace(t, script, s.dir, filepath.Join(binDir(t), "napback"), s.conf, day(0)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	buffer := make([]byte, 64<<10)
	var all string
	for !strings.Contains(all, "napback ends") {
		n, err := l.Read(buffer)
		s.must(err)
		all += string(buffer[:n]) + "\n"
	}
	if !strings.Contains(all, "job: ends: ok") || !strings.Contains(all, "napback[") {
		t.Error(all)
	}
}

// Everything at debug level, with secrets in all places that have some.
func TestNoSecretIsToldAnywhere(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	m := newMailbox(t, "mail/password-6c1d")
	p := newMonitor(t)
	secrets := map[string]string{
		"environment": "env+secret/1f0a9", "token": "session-token-88b1", "key file": "file+secret/77aa1",
		"mail password": m.password, "ping": "3f0d1c2b-aaaa-4b3c-9d1e-0123456789ab",
	}
	keys := filepath.Join(s.dir, "s3.key")
	s.must(os.WriteFile(keys, []byte("key=AKIAEXAMPLE\nsecret="+secrets["key file"]+"\n"), 0o600))
	s.env = []string{"AWS_SECRET_ACCESS_KEY=" + secrets["environment"], "AWS_ACCESS_KEY_ID=AKIAOTHER", "AWS_SESSION_TOKEN=" + secrets["token"]}
	log := filepath.Join(s.dir, "napback.log")
	telling := s.program("tell", `env; echo "$@"; echo "$@" >&2; exit 1`)
	known := secrets["environment"] + " " + secrets["ping"]
	jobs := s.block("RunAfter "+telling+" "+known, "PingURL "+p.URL+"/"+secrets["ping"]) +
		// A server that refuses, so that S3 itself comes to word; with either kind of credentials.
		"<Directory " + s.diffs + ">\nEndpoint " + p.URL + "\nRetryWait 1s\nS3KeyFile " + keys + "\n</Directory>\n" +
		"<Directory " + s.store + ">\nEndpoint " + p.URL + "\n</Directory>\n"
	var all strings.Builder
	for n, format := range []string{"text", "json"} {
		s.configure(s.mailing(m, "always") + "LogLevel debug\nLogFile " + log + "\nLogFormat " + format + "\nPingURL " + p.URL + "/" + secrets["ping"] + "/run\n" + jobs)
		e := s.napback(1, day(n), "-d")
		all.WriteString(e.out + e.stderr + strings.Join(m.received(), ""))
		_, bodies := p.heard()
		all.WriteString(strings.Join(bodies, "\n"))
	}
	p.refuse() // pings fail
	s.must(os.WriteFile(filepath.Join(s.dir, "mail.password"), []byte("wrong-but-secret\n"), 0o600))
	secrets["wrong mail password"] = "wrong-but-secret"
	e := s.tool("napback", "-c", s.conf, "-d", "--date", day(2))
	all.WriteString(e.out + e.stderr + s.read(log))
	text := all.String()
	for _, must := range []string{"debug", "s3put", "NAPBACK_RUN", "the ping did not go out", "the mail did not go out", "napback ends"} {
		if !strings.Contains(text, must) {
			t.Fatalf("the test sees no %q", must)
		}
	}
	for where, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the secret of the %s is told: %q", where, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}
