package notify

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// Try tries a channel, for a check.
type Try struct {
	Flag string // of the command that has it really tell people: mail or ping
	What string // names the channel in findings; it holds no secret
	Key  string // is the same where the channel is; it may hold one
	// Look does as much as can be done without telling anybody anything, and says
	// what.
	Look func(ctx context.Context) (did string, err error)
	// Tell really tells, and says what. host is this one's name.
	Tell func(ctx context.Context, host string) (did string, err error)
}

// Tries returns those of the channels that settings ask for. Each of them has a
// limit in time, as a channel has.
func Tries(s Settings) (all []Try) {
	for _, kind := range Kinds() {
		if kind.Try != nil {
			all = append(all, kind.Try(s)...)
		}
	}
	return all
}

// test is what a Try reports where a run would.
func test(host string) Report {
	return Report{Host: host, Test: true, Summary: "This is a test by napback check. It says nothing about any backup."}
}

// mailTry tries mail.
func mailTry(s Settings) []Try {
	o := mailOptions(s)
	if len(o.To) == 0 {
		return nil
	}
	what := "mail by the local sendmail"
	if server, err := ParseServer(o.Server); o.Server != "" && err == nil {
		what = "MailServer " + server.address()
	}
	return []Try{{
		Flag: "mail", What: what, Key: strings.Join(append([]string{o.Server, o.PasswordFile, o.From}, o.To...), "\x00"),
		Look: o.look,
		Tell: func(ctx context.Context, host string) (string, error) {
			return "a test mail is on its way to " + strings.Join(o.To, ", "), SendMail(ctx, o, test(host))
		},
	}}
}

// look finds out whether a mail could be given to who takes it.
func (o MailOptions) look(ctx context.Context) (string, error) {
	if o.Server == "" {
		path, err := o.sendmail()
		return path + " is there; whether it delivers shows only with --mail", err
	}
	ctx, cancel := o.limited(ctx)
	defer cancel()
	s, password, err := o.login()
	if err != nil {
		return "", err
	}
	if err := s.deliver(ctx, o.roots, password, nil); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", err
	}
	did := "it answers"
	if s.User != "" {
		did += ", and takes the password of " + s.User
	}
	return did + "; nothing was sent", nil
}

// pingTry tries the call of a URL.
func pingTry(s Settings) []Try {
	address := s.One("PingURL")
	if address == "" {
		return nil
	}
	p, err := NewPing(address, nil)
	if err != nil { // which the configuration has refused
		return nil
	}
	return []Try{{
		Flag: "ping", What: "PingURL at " + p.url.Host, Key: address,
		Look: p.look,
		Tell: func(ctx context.Context, host string) (string, error) {
			return "it was called, and has heard of a success", p.Finish(ctx, test(host))
		},
	}}
}

// look finds out whether the host of the URL has an address.
func (p *Ping) look(ctx context.Context) (string, error) {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: p.url}); proxy != nil || err != nil {
		return "it goes through a proxy; it was not called", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, pingTimeout, fmt.Errorf("no answer within %v", pingTimeout))
	defer cancel()
	_, err := net.DefaultResolver.LookupHost(ctx, p.url.Hostname())
	return "its host has an address; it was not called", err
}
