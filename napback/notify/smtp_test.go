package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// far is an address of this machine that does not count as this machine: what
// is sent there must be encrypted.
const far = "127.0.0.2"

const (
	user     = "ann@example.com"
	password = "correct horse/battery"
)

// mailServer is a real SMTP server and what it has been told.
type mailServer struct {
	addr  string
	roots *x509.CertPool // that its certificate is signed by

	mu     sync.Mutex
	mails  []received
	tried  []string // passwords
	data   chan struct{}
	hang   chan struct{} // Data returns when it is closed
	refuse string        // a recipient
}

type received struct {
	from, to, text string
	encrypted      bool
	user           string
}

// serverSetup is how a mailServer behaves.
type serverSetup struct {
	host     string
	starttls bool
	smtps    bool
	auth     bool
	refuse   string
	hang     bool
}

func startServer(t *testing.T, setup serverSetup) *mailServer {
	t.Helper()
	if setup.host == "" {
		setup.host = "127.0.0.1"
	}
	s := &mailServer{refuse: setup.refuse, data: make(chan struct{}, 10)}
	if setup.hang {
		s.hang = make(chan struct{})
		t.Cleanup(func() { close(s.hang) })
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		plain := &session{server: s, conn: c}
		if setup.auth {
			return &authSession{plain}, nil
		}
		return plain, nil
	}))
	server.Domain = "mail.test"
	server.AllowInsecureAuth = true
	server.ErrorLog = log.New(io.Discard, "", 0)
	config := &tls.Config{}
	config.Certificates, s.roots = certificate(t, setup.host)
	if setup.starttls {
		server.TLSConfig = config
	}
	l, err := net.Listen("tcp", setup.host+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if setup.smtps {
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	return s
}

// certificate makes a certificate for host that signs itself.
func certificate(t *testing.T, host string) ([]tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, IPAddresses: []net.IP{net.ParseIP(host)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, pool
}

// inbox returns the mails that the server has taken.
func (s *mailServer) inbox() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

// passwords returns those that the server was shown.
func (s *mailServer) passwords() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

// session is a connection to a mailServer.
type session struct {
	server *mailServer
	conn   *smtp.Conn
	user   string
	from   string
	to     []string
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == s.server.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.data <- struct{}{}
	if s.server.hang != nil {
		<-s.server.hang
		return errors.New("hung")
	}
	_, encrypted := s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mails = append(s.server.mails, received{s.from, strings.Join(s.to, " "), string(text), encrypted, s.user})
	return nil
}

// authSession is a session that wants a user and a password.
type authSession struct{ *session }

func (s *authSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, word string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.tried = append(s.server.tried, word)
		if name != user || word != password {
			return smtp.ErrAuthFailed
		}
		s.user = name
		return nil
	}), nil
}

func (s *authSession) Mail(from string, o *smtp.MailOptions) error {
	if s.user == "" {
		return smtp.ErrAuthRequired
	}
	return s.session.Mail(from, o)
}

// passwordFile writes a password file and returns its path.
func passwordFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// scripted is a server that gives each connection to a function, for what a
// real one cannot be made to do.
func scripted(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		conns.Wait()
	})
	return l.Addr().String()
}

// obey answers a client as the simplest server does, until it says QUIT.
func obey(conn net.Conn) {
	fmt.Fprint(conn, "220 mail.test\r\n")
	lines := bufio.NewScanner(conn)
	inData := false
	for lines.Scan() {
		switch line := strings.ToUpper(lines.Text()); {
		case inData && line != ".":
		case line == "QUIT":
			return
		case line == "DATA":
			inData = true
			fmt.Fprint(conn, "354 go on\r\n")
		default:
			inData = false
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}
