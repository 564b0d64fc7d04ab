package notify

import (
	"cmp"
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

// mailKind is mail about the whole run, at its end.
func mailKind() Kind {
	return Kind{
		Directives: []Directive{
			{Name: "MailTo", Top: true, Repeat: true, Check: mailRecipient},
			{Name: "MailFrom", Top: true, Check: mailAddress},
			{Name: "MailServer", Top: true},
			{Name: "MailPasswordFile", Top: true, File: true},
			{Name: "MailOn", Top: true, Values: []string{"failure", "warning", "always"}},
		},
		Check: func(s Settings) (note string, err error) {
			o := mailOptions(s)
			if len(o.To) == 0 && o.Server+o.From+o.PasswordFile != "" {
				note = "there is no MailTo, so no mail is sent"
			}
			return note, o.Check()
		},
		Open: func(s Settings, redact func(string) string) (Channel, error) {
			o := mailOptions(s)
			if o.Redact = redact; len(o.To) == 0 {
				return nil, nil
			}
			return o, nil
		},
		Try: mailTry,
	}
}

func mailOptions(s Settings) MailOptions {
	return MailOptions{
		To: s["MailTo"], From: s.One("MailFrom"), Server: s.One("MailServer"), PasswordFile: s.One("MailPasswordFile"),
		on: cmp.Or(s.One("MailOn"), "failure"),
	}
}

// Name is how warnings name a mail.
func (MailOptions) Name() string { return "the mail" }

// Start sends nothing: the mail of a run is about its end.
func (MailOptions) Start(context.Context) error { return nil }

// Finish sends the mail if it is due.
func (o MailOptions) Finish(ctx context.Context, r Report) error {
	if !Due(o.on, r.Ending) {
		return nil
	}
	return SendMail(ctx, o, r)
}

func mailAddress(word string) error {
	if _, err := netmail.ParseAddress(word); err != nil {
		return errors.New("want a mail address, as in root@example.com")
	}
	return nil
}

// mailRecipient also takes a name of this host's mail system, as cron does.
func mailRecipient(word string) error {
	if mailAddress(word) != nil && !isLocal(word) {
		return errors.New("want a mail address, as in root@example.com, or a local name, as in root")
	}
	return nil
}

// MailOptions say how mail is sent. They are the channel.
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

	on      string         // the value of MailOn
	roots   *x509.CertPool // nil = the system's
	program string         // sendmail's path, instead of the usual ones
}

// Subject is the subject of the mail: one line, whatever the host's name.
func (r Report) Subject() string {
	count := fmt.Sprintf("%d of %d jobs", r.Count, r.Jobs)
	if r.Count == 0 { // the log could not be written, or the like
		count = cli.Plural(r.Jobs, "job", "jobs")
	}
	subject := fmt.Sprintf("napback %s: %v (%s)", r.Host, r.Ending, count)
	if r.Test {
		subject = fmt.Sprintf("napback %s: a test", r.Host)
	}
	return strings.Join(strings.Fields(plain(subject)), " ")
}

// Body is the text of the mail, before secrets are masked in it.
func (r Report) Body() string {
	var b strings.Builder
	b.WriteString(strings.TrimRight(r.Summary, "\n") + "\n")
	for _, f := range r.Failures {
		fmt.Fprintf(&b, "\nThe last lines of %s, of %s:\n", cli.Safe(f.Stage), cli.Safe(f.Job))
		for _, line := range f.Lines {
			b.WriteString("    " + cli.Safe(line) + "\n")
		}
	}
	if !r.Test {
		fmt.Fprintf(&b, "\n-- \nrun %s on %s\n", r.Run, r.Host)
	}
	return b.String()
}

// isLocal reports whether a recipient is a name that only the local mail system
// knows, such as root.
func isLocal(to string) bool { return localName.MatchString(to) }

var localName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

// Check tells what is wrong with the options before anything is sent. It looks
// at nothing outside of them.
func (o MailOptions) Check() error {
	var errs []error
	for _, to := range o.To {
		if err := mailRecipient(to); err != nil {
			errs = append(errs, fmt.Errorf("MailTo %q: %w", to, err))
		} else if o.Server != "" && isLocal(to) {
			errs = append(errs, fmt.Errorf("MailTo %q: a name of this host means nothing to a MailServer: want an address with its domain", to))
		}
	}
	if err := mailAddress(o.From); o.From != "" && err != nil {
		errs = append(errs, fmt.Errorf("MailFrom %q: %w", o.From, err))
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

// SendMail sends the report. It returns within the options' Timeout, whatever
// the server does. If there are several recipients, those that the server
// refuses do not keep it from the others.
func SendMail(ctx context.Context, o MailOptions, r Report) error {
	if len(o.To) == 0 {
		return errors.New("mail: nobody to send it to")
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	ctx, cancel := o.limited(ctx)
	defer cancel()
	if o.Server == "" {
		if err := o.bySendmail(ctx, r); err != nil {
			return fmt.Errorf("mail: %w", err)
		}
		return nil
	}
	return o.byServer(ctx, r)
}

// limited returns a context that ends when the time for all of it is over.
func (o MailOptions) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := cmp.Or(o.Timeout, defaultTimeout)
	return context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done within %v", timeout))
}

// compose makes the mail to these recipients. From may be "", where sendmail
// adds it.
func (o MailOptions) compose(r Report, from string, to ...string) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if from != "" {
		if err := msg.From(from); err != nil {
			return nil, fmt.Errorf("sender %q: %w", from, err)
		}
	}
	if err := msg.To(to...); err != nil {
		return nil, fmt.Errorf("recipients %q: %w", to, err)
	}
	msg.Subject(masked(o.Redact, r.Subject()))
	msg.SetDate()
	msg.SetMessageID()
	// RFC 3834: no out-of-office notes to a machine.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(mail.TypeTextPlain, head(plain(masked(o.Redact, r.Body())), maxBody))
	return msg, nil
}
