package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"napback/internal/cli"
)

const (
	defaultTimeout = time.Minute
	maxBody        = 512 << 10 // bytes of a mail's text
)

// MailOptions say how mail is sent.
type MailOptions struct {
	To []string // without a Server also names that the local sendmail knows
	// From is the sender; "" = napback@HOST with a server, and whoever runs
	// napback with sendmail.
	From string
	// Server is HOST[:PORT], smtp://[USER@]HOST[:PORT] or
	// smtps://[USER@]HOST[:PORT]; "" = the local sendmail. See ParseServer.
	Server string
	// PasswordFile has USER's password as its only line. Nobody but its
	// owner may read it.
	PasswordFile string

	Timeout time.Duration            // for all of SendMail; 0 = a minute
	Redact  func(text string) string // masks secrets in what is sent; nil = nothing

	roots   *x509.CertPool // nil = the system's
	program string         // sendmail's path, instead of the usual ones
}

// Message is what is told about a run.
type Message struct {
	Host    string
	Run     string // its id
	Verdict Verdict
	// Count of all Jobs have that verdict.
	Count, Jobs int
	Summary     string // the table of all jobs
	Failures    []Failure
}

// Failure is a job that failed.
type Failure struct {
	Job   string
	Error string
	Stage string   // that failed; "" = none
	Lines []string // the last that it wrote on stderr
}

// Subject is the subject of the mail: one line, whatever the host's name.
func (m Message) Subject() string {
	subject := fmt.Sprintf("napback %s: %v (%d of %d jobs)", m.Host, m.Verdict, m.Count, m.Jobs)
	return strings.Join(strings.Fields(plain(subject)), " ")
}

// Body is the text of the mail, before secrets are masked in it.
func (m Message) Body() string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(m.Summary, "\n") + "\n")
	for _, f := range m.Failures {
		// What foreign text holds after a line end is no line of ours.
		fmt.Fprintf(&b, "\n%s: %s\n", cli.Safe(f.Job), strings.ReplaceAll(f.Error, "\n", "\n    "))
		if len(f.Lines) > 0 {
			fmt.Fprintf(&b, "The last lines of %s:\n", cli.Safe(f.Stage))
		}
		for _, line := range f.Lines {
			b.WriteString("    " + cli.Safe(line) + "\n")
		}
	}
	fmt.Fprintf(&b, "\n-- \nrun %s on %s\n", m.Run, m.Host)
	return b.String()
}

// IsLocal tells whether a recipient is a name that only the local mail system
// knows, such as root.
func IsLocal(to string) bool { return localName.MatchString(to) }

var localName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

// Check tells what is wrong with the options before anything is sent. It looks
// at nothing outside of them.
func (o MailOptions) Check() error {
	var errs []error
	for _, to := range o.To {
		if IsLocal(to) {
			if o.Server != "" {
				errs = append(errs, fmt.Errorf("MailTo %q: a name of this host means nothing to a MailServer: want an address with its domain", to))
			}
			continue
		}
		if _, err := netmail.ParseAddress(to); err != nil {
			errs = append(errs, fmt.Errorf("MailTo %q: %w", to, err))
		}
	}
	if o.From != "" {
		if _, err := netmail.ParseAddress(o.From); err != nil {
			errs = append(errs, fmt.Errorf("MailFrom %q: %w", o.From, err))
		}
	}
	var s Server
	if o.Server != "" {
		var err error
		if s, err = ParseServer(o.Server); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	switch {
	case s.User != "" && o.PasswordFile == "":
		errs = append(errs, fmt.Errorf("MailServer: %s needs a password: MailPasswordFile", s.User))
	case s.User == "" && o.PasswordFile != "":
		errs = append(errs, errors.New("MailPasswordFile: MailServer names no user: smtp://USER@HOST"))
	}
	return errors.Join(errs...)
}

// SendMail sends the message. It returns within the options' Timeout, whatever
// the server does. If there are several recipients, those that the server
// refuses do not keep it from the others.
func SendMail(ctx context.Context, o MailOptions, m Message) error {
	if len(o.To) == 0 {
		return errors.New("mail: nobody to send it to")
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done within %v", timeout))
	defer cancel()
	if o.Server == "" {
		return o.bySendmail(ctx, m)
	}
	return o.byServer(ctx, m)
}

// compose makes the mail to these recipients. From may be "", where sendmail
// adds it.
func (o MailOptions) compose(m Message, from string, to ...string) (*mail.Msg, error) {
	redact := o.Redact
	if redact == nil {
		redact = func(text string) string { return text }
	}
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if from != "" {
		if err := msg.From(from); err != nil {
			return nil, fmt.Errorf("sender %q: %w", from, err)
		}
	}
	if err := msg.To(to...); err != nil {
		return nil, fmt.Errorf("recipients %q: %w", to, err)
	}
	msg.Subject(redact(m.Subject()))
	msg.SetDate()
	msg.SetMessageID()
	// RFC 3834: no out-of-office notes to a machine.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, head(plain(redact(m.Body())), maxBody))
	return msg, nil
}
