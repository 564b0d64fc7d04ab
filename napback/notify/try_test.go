package notify

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// only returns the only Try of settings.
func only(t *testing.T, s Settings) Try {
	t.Helper()
	all := Tries(s)
	if len(all) != 1 {
		t.Fatalf("%d tries of %v", len(all), s)
	}
	return all[0]
}

// A server is asked for all that a mail needs, and gets none.
func TestALookAtAMailServerLogsInAndSendsNothing(t *testing.T) {
	s := startServer(t, serverSetup{host: far, starttls: true, auth: true})
	look := func(word string) (string, error) {
		o := MailOptions{To: []string{"bob@example.com"}, Server: "smtp://" + strings.Replace(user, "@", "%40", 1) + "@" + s.addr,
			PasswordFile: passwordFile(t, word+"\n", 0o600), roots: s.roots}
		return o.look(t.Context())
	}
	did, err := look(password)
	if err != nil || !strings.Contains(did, "takes the password of "+user) || len(s.passwords()) != 1 || len(s.inbox()) > 0 {
		t.Errorf("%q, %v; mails %v", did, err, s.inbox())
	}
	if _, err := look("hunter22"); err == nil || strings.Contains(err.Error(), "hunter22") {
		t.Errorf("a wrong password: %v", err)
	}
	// Whoever it is, it is not one that the certificate is of.
	o := MailOptions{To: []string{"bob@example.com"}, Server: "smtps://" + s.addr}
	if _, err := o.look(t.Context()); err == nil {
		t.Error("a server without TLS is taken for one with it")
	}
}

func TestALookAtAServerThatHangsEnds(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	for name, serve := range map[string]func(net.Conn){
		"says nothing":    func(net.Conn) { <-hang },
		"stops in a word": func(c net.Conn) { io.WriteString(c, "220 mail"); <-hang },
		"never ends a line": func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "220-"+strings.Repeat("x", 100)+"\r\n"); err != nil {
					return
				}
			}
		},
	} {
		o := MailOptions{To: []string{"bob@example.com"}, Server: scripted(t, serve), Timeout: 300 * time.Millisecond}
		if _, err := o.look(t.Context()); err == nil {
			t.Errorf("a server that %s is well", name)
		}
	}
}

func TestATestMailSaysThatItIsOne(t *testing.T) {
	s := startServer(t, serverSetup{})
	try := only(t, Settings{"MailTo": {"bob@example.com"}, "MailServer": {s.addr}})
	if did, err := try.Look(t.Context()); err != nil || len(s.inbox()) > 0 || !strings.Contains(did, "nothing was sent") || try.Flag != "mail" {
		t.Fatalf("%q, %v, %v", did, err, s.inbox())
	}
	did, err := try.Tell(t.Context(), "web1")
	if err != nil || len(s.inbox()) != 1 || !strings.Contains(did, "bob@example.com") {
		t.Fatalf("%q, %v, %v", did, err, s.inbox())
	}
	header, body := read(t, s.inbox()[0].text)
	if header.Get("Subject") != "napback web1: a test" || !strings.Contains(body, "test by napback check") || strings.Contains(body, "run ") {
		t.Errorf("%v\n%s", header, body)
	}
	if got := Tries(Settings{"MailServer": {s.addr}}); len(got) > 0 {
		t.Errorf("nobody gets mail, but there is %v", got)
	}
}

func TestAURLIsCalledOnlyWhenThatIsAskedFor(t *testing.T) {
	m := startMonitor(t, fine)
	try := only(t, Settings{"PingURL": {m.URL + "/secret-identifier"}})
	if did, err := try.Look(t.Context()); err != nil || len(m.heard()) > 0 || !strings.Contains(did, "not called") {
		t.Errorf("%q, %v, %q", did, err, m.heard())
	}
	if _, err := try.Tell(t.Context(), "web1"); err != nil || len(m.heard()) != 1 || !strings.HasPrefix(m.heard()[0], "POST /secret-identifier?rid=") {
		t.Errorf("%v, %q", err, m.heard())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	gone := only(t, Settings{"PingURL": {"http://no.such.host.invalid/secret-identifier"}})
	for _, try := range []func() (string, error){
		func() (string, error) { return gone.Look(t.Context()) },
		func() (string, error) { return gone.Tell(ctx, "web1") },
	} {
		if _, err := try(); err == nil || strings.Contains(err.Error()+gone.What, "secret") {
			t.Errorf("%s: %v", gone.What, err)
		}
	}
}
