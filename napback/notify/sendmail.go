package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"napback/internal/cli"
	"napback/napback/chain"
)

// bySendmail gives the message to the local mail system, as cron does.
func (o MailOptions) bySendmail(ctx context.Context, m Message) error {
	path, err := o.sendmail()
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	msg, err := o.compose(m, o.From, o.To...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	var text bytes.Buffer
	if _, err := msg.WriteTo(&text); err != nil {
		return fmt.Errorf("mail: compose: %w", err)
	}
	// Local programs expect the line ends of the system.
	if err := feed(ctx, path, bytes.ReplaceAll(text.Bytes(), []byte("\r\n"), []byte("\n"))); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
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

// feed runs sendmail, which reads the recipients in the mail's headers and
// takes a line with a single dot for what it is.
func feed(ctx context.Context, path string, text []byte) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		defer write.Close()
		_, _ = write.Write(text) // if it is not read, the exit status tells why
	})
	c := chain.Chain{
		Stages: []chain.Stage{{Name: "sendmail", Path: path, Args: []string{"-t", "-i"}, Env: chain.Environ(os.Environ())}},
		Stdin:  read,
	}
	_, err = c.Run(ctx)
	read.Close()
	writer.Wait()
	return err
}
