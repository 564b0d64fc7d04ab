package setup

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"napback/internal/cli"
)

// Asker asks for what a plan lacks.
type Asker struct {
	Std cli.Streams
	// Picture draws what a schedule keeps. Without one people have to do without it.
	Picture func(ctx context.Context, diffs, fulls int) (string, error)
	// Given tells what the command line has said: it is not asked again.
	Given func(flag string) bool
}

func (a Asker) say(format string, args ...any) { fmt.Fprintf(a.Std.Err, format, args...) }

func (a Asker) line(ctx context.Context, question, byDefault string) (string, error) {
	return cli.AskLine(ctx, a.Std, question, byDefault)
}

// Ask fills in the plan.
func (a Asker) Ask(ctx context.Context, p *Plan) error {
	for _, ask := range []func(context.Context, *Plan) error{a.target, a.credentials, a.encryption, a.sources, a.schedule} {
		if err := ask(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (a Asker) target(ctx context.Context, p *Plan) error {
	for p.Bucket == "" {
		word, err := a.line(ctx, "Where do backups go? A bucket of S3, or a directory on another disk (/mnt/usb/backups):", "")
		if err != nil {
			return err
		}
		if err := p.SetTarget(word); err != nil {
			a.say("%v\n", err)
		}
	}
	if p.OnDisk() != "" {
		return nil
	}
	var err error
	if !a.Given("endpoint") {
		if p.Endpoint, err = a.line(ctx, "Endpoint of the service (https://...; none for AWS):", ""); err != nil {
			return err
		}
	}
	if p.Endpoint == "" && !a.Given("region") {
		p.Region, err = a.line(ctx, "Region of the bucket (eu-central-1; none: as AWS's own files say):", "")
	}
	return err
}

// credentials asks for what goes into a key file that is not there yet.
func (a Asker) credentials(ctx context.Context, p *Plan) (err error) {
	if p.OnDisk() != "" || a.Given("key-file") {
		return nil
	}
	if p.AccessKey, err = a.line(ctx, "Access key (none: as AWS's own files say):", ""); err != nil || p.AccessKey == "" {
		p.KeyFile = ""
		return err
	}
	secret, err := cli.AskSecret(ctx, "Secret key (not shown): ")
	p.Secret = string(secret)
	return err
}

func (a Asker) encryption(ctx context.Context, p *Plan) error {
	if len(p.Recipients) > 0 || p.NewKey != "" || p.Plain {
		return nil
	}
	a.say("Backups are encrypted to an OpenPGP public key. The secret key should not be on this host.\n")
	word, err := a.line(ctx, "Encrypt to whom? An e-mail address or fingerprint in your GnuPG keyring, \"new\" for a new key, or \"nobody\":", "new")
	if err != nil {
		return err
	}
	switch word {
	case "nobody":
		p.Plain = true
	case "new":
		p.NewKey = defaultNewKey
	default:
		p.Recipients = []string{word}
	}
	return nil
}

// defaultNewKey is where a new secret key goes: below the working directory.
const defaultNewKey = "napback-secret-key.asc"

func (a Asker) sources(ctx context.Context, p *Plan) error {
	if len(p.Sources) > 0 {
		return nil
	}
	a.say("What is to be backed up? A line each: /etc, or MySQL all, PostgreSQL mydb, Subversion /srv/svn/repo.\n")
	for {
		byDefault := "no more"
		if len(p.Sources) == 0 {
			byDefault = "/etc"
		}
		word, err := a.line(ctx, ">", byDefault)
		if err != nil {
			return err
		}
		if word == "no more" {
			return nil
		}
		p.AddSource(word)
	}
}

// schedule shows what schedules keep, until one is right.
func (a Asker) schedule(ctx context.Context, p *Plan) error {
	if a.Given("diffs") || a.Given("fulls") {
		return nil
	}
	for {
		picture, err := a.Picture(ctx, p.Diffs, p.Fulls)
		if err != nil {
			picture = fmt.Sprintf("(%v)", err)
		}
		a.say("Every day a backup: a full one, then %s. %s kept:\n\n%s\n", cli.Plural(p.Diffs, "increment", "increments"),
			cli.Plural(p.Fulls, "such round is", "such rounds are"), indent(picture))
		word, err := a.line(ctx, "Is that right? Or other numbers of increments and rounds, as in 29 12:", "yes")
		if err != nil {
			return err
		}
		if word == "yes" || word == "y" {
			return nil
		}
		if diffs, fulls, ok := twoNumbers(word); ok {
			p.Diffs, p.Fulls = diffs, fulls
		} else {
			a.say("Two numbers: increments after each full backup, from 0; and rounds to keep, from 1.\n")
		}
	}
}

func twoNumbers(text string) (first, second int, ok bool) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return 0, 0, false
	}
	first, err1 := strconv.Atoi(words[0])
	second, err2 := strconv.Atoi(words[1])
	return first, second, err1 == nil && err2 == nil && first >= 0 && second >= 1 && first < 10_000 && second < 10_000
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}
