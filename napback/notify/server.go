package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"napback/internal/cli"
	"napback/internal/trust"
)

// Server is a mail server.
type Server struct {
	Host string
	Port int
	User string // "" = no authentication
	TLS  bool   // from the first byte on, without STARTTLS
}

// ParseServer reads HOST[:PORT], smtp://[USER@]HOST[:PORT] or
// smtps://[USER@]HOST[:PORT]. The port is 465 for smtps, else 587 with a user,
// else 25.
//
// STARTTLS is used wherever it is offered. With a user it must be, and the
// certificate must be valid, since a password is sent; only to this host itself
// (localhost, 127.0.0.1, ::1) may it be missing. The certificate of smtps must be
// valid too, except this host's. STARTTLS without a user takes any, as mail servers
// do among themselves.
func ParseServer(text string) (Server, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "smtp://" + text
	}
	// Neither the text nor the parser's error is quoted: it may hold a password.
	wrong := errors.New("MailServer: want HOST[:PORT], smtp://[USER@]HOST[:PORT] or smtps://[USER@]HOST[:PORT]")
	u, err := url.Parse(full)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsFunc(u.Hostname(), notHost) ||
		strings.Contains(u.Hostname(), ":") && !strings.HasPrefix(u.Host, "[") {
		return Server{}, wrong
	}
	if _, ok := u.User.Password(); ok {
		return Server{}, errors.New("MailServer: a password does not belong there, but in a file: MailPasswordFile")
	}
	s := Server{Host: u.Hostname(), User: u.User.Username(), TLS: u.Scheme == "smtps", Port: 25}
	switch {
	case u.Port() != "":
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, wrong
		}
	case s.TLS:
		s.Port = 465
	case s.User != "":
		s.Port = 587
	}
	return s, nil
}

// notHost reports whether no host's name or address has such a character.
func notHost(r rune) bool { return r <= ' ' || strings.ContainsRune(`<>"\@,;%`, r) }

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func (s Server) loopback() bool {
	return s.Host == "localhost" || s.Host == "127.0.0.1" || s.Host == "::1"
}

// encryption returns the rules of ParseServer.
func (s Server) encryption(roots *x509.CertPool) (*tls.Config, mail.TLSPolicy) {
	config := &tls.Config{ServerName: s.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	if s.User != "" && !s.loopback() {
		return config, mail.TLSMandatory
	}
	// Who could show a false certificate could also hide STARTTLS, so refusing
	// one would cost mails and protect none.
	config.InsecureSkipVerify = !s.TLS || s.loopback()
	return config, mail.TLSOpportunistic
}

// login returns the server, and the password of its user.
func (o MailOptions) login() (s Server, password string, err error) {
	if s, err = ParseServer(o.Server); err == nil && s.User != "" {
		password, err = readPassword(o.PasswordFile)
	}
	return s, password, err
}

// byServer sends the report, a mail for each recipient, over one connection.
func (o MailOptions) byServer(ctx context.Context, r Report) error {
	s, password, err := o.login()
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	var mails []*mail.Msg
	for _, to := range o.To {
		one, err := o.compose(r, cmp.Or(o.From, "napback@"+r.Host), to)
		if err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		mails = append(mails, one)
	}
	if err := s.deliver(ctx, o.roots, password, mails); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx) // the connection was closed because of it
		}
		return fmt.Errorf("mail server %s: %w", s.address(), err)
	}
	return nil
}

// deliver sends mails. When ctx ends, the connection is closed under whatever is
// going on.
func (s Server) deliver(ctx context.Context, roots *x509.CertPool, password string, mails []*mail.Msg) error {
	config, policy := s.encryption(roots)
	until, _ := ctx.Deadline()
	options := []mail.Option{
		mail.WithPort(s.Port), mail.WithTimeout(max(time.Until(until), time.Millisecond)),
		mail.WithTLSConfig(config), mail.WithTLSPolicy(policy), mail.WithDialContextFunc(s.dialer(ctx, config)),
	}
	if s.TLS {
		options = append(options, mail.WithSSL())
	}
	if s.User != "" {
		options = append(options, mail.WithUsername(s.User), mail.WithPassword(password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return err
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.explain(err)
	}
	if err := client.SendWithSMTPClient(conn, mails...); err != nil {
		return err
	}
	// What comes now cannot take the mails back.
	_ = conn.UpdateDeadline(quitDelay)
	_ = client.CloseWithSMTPClient(conn)
	return nil
}

// dialer connects as go-mail would, but its connection ends with ctx: go-mail
// looks at the context only while it dials, and leaves connections open that fail
// later.
func (s Server) dialer(ctx context.Context, config *tls.Config) mail.DialContextFunc {
	dial := new(net.Dialer).DialContext
	if s.TLS {
		dial = (&tls.Dialer{Config: config}).DialContext
	}
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}
}

// quitDelay is how long a server that has taken the mails is given to say bye.
const quitDelay = 5 * time.Second

// explain adds a hint to what a wrong port leads to. go-mail has no type of error
// for a server without STARTTLS, so it is all but a server's refusal and a wrong
// certificate.
func (s Server) explain(err error) error {
	var refused *textproto.Error
	var certificate *tls.CertificateVerificationError
	if s.User == "" || s.TLS || s.loopback() || errors.As(err, &refused) || errors.As(err, &certificate) {
		return err
	}
	return cli.WithHint(err, "the password is not sent unencrypted: use smtps://, or the port of the server's submission service")
}

// readPassword returns the first line of a file that nobody but its owner may
// read. A FIFO would be waited for: nobody would be told that the run failed.
func readPassword(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("password file %q: not a regular file", path)
	}
	password, err := trust.ReadPrivateLine("password file", path)
	if err == nil && len(password) == 0 {
		err = fmt.Errorf("password file %q: its first line is empty", path)
	}
	return string(password), err
}
