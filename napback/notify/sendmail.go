package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"os"
	"os/exec"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
)

// bySendmail gives the report to the local mail system, as cron does.
func (o MailOptions) bySendmail(ctx context.Context, r Report) error {
	path, err := o.sendmail()
	if err != nil {
		return err
	}
	var to, recipients []string
	for _, one := range o.To {
		if isLocal(one) {
			// The header needs a domain; the mail system knows its own.
			to, recipients = append(to, one+"@"+r.Host), append(recipients, one)
			continue
		}
		address, err := netmail.ParseAddress(one)
		if err != nil {
			return fmt.Errorf("recipient %q: %w", one, err)
		}
		if strings.HasPrefix(address.Address, "-") { // not every sendmail knows "--"
			return fmt.Errorf("recipient %q: sendmail would take it for an option", one)
		}
		to, recipients = append(to, one), append(recipients, address.Address)
	}
	msg, err := o.compose(r, o.From, to...)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if _, err := msg.WriteTo(&text); err != nil {
		return fmt.Errorf("compose: %w", err)
	}
	// Local programs expect the line ends of the system.
	return feed(ctx, path, recipients, bytes.ReplaceAll(text.Bytes(), []byte("\r\n"), []byte("\n")))
}

// sendmail returns the path of the local mail system's program.
func (o MailOptions) sendmail() (string, error) {
	paths := []string{"/usr/sbin/sendmail", "/usr/lib/sendmail", "sendmail"}
	if o.program != "" {
		paths = []string{o.program}
	}
	for _, path := range paths {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", cli.WithHint(errors.New("there is no sendmail on this host"), "name a server with MailServer, or install a mail system")
}

// feed runs sendmail, which takes a line with a single dot for what it is.
func feed(ctx context.Context, path string, recipients []string, text []byte) error {
	c := chain.Chain{
		Stages: []chain.Stage{{Name: "sendmail", Path: path, Args: append([]string{"-i"}, recipients...), Env: chain.Environ(os.Environ())}},
		In:     bytes.NewReader(text), // if it is not read, the exit status tells why
	}
	_, err := c.Run(ctx)
	return err
}
