package main

import (
	"context"
	"time"

	"napback/internal/cli"
	"napback/internal/sign"
)

// options are pgpipe's command line.
type options struct {
	Recipients     []string `short:"r" name:"recipient" placeholder:"RECIPIENT" sep:"none" help:"Encrypt to this key: a fingerprint, a key id, an e-mail address or a whole user id. Repeatable."`
	RecipientFiles []string `short:"R" name:"recipients-file" placeholder:"FILE" sep:"none" help:"Take the recipients' keys from FILE (exported keys) instead of the keyring; without -r, encrypt to all of them. Repeatable."`
	Keyring        string   `placeholder:"FILE" help:"Look for recipients in FILE (pubring.kbx, pubring.gpg or exported keys). Default: your GnuPG keyring."`
	Armor          bool     `short:"a" help:"Write ASCII armor instead of binary."`
	Sign           string   `placeholder:"FILE" help:"Sign the message with the secret key in FILE."`
	Check          bool     `help:"Only test the recipients, and print each key and when it expires."`
	JSON           bool     `name:"json" help:"With --check: one JSON object a line."`
	NewKey         string   `name:"new-key" placeholder:"FILE" help:"Make a key pair for the user id -r: the secret key goes to the new FILE, the public key to stdout."`
	Decrypt        bool     `short:"d" help:"Decrypt stdin instead."`
	SecretKey      string   `short:"k" name:"secret-key" placeholder:"FILE" help:"Decrypt with the secret key in FILE (exported; not readable by others)."`
	PassphraseFile string   `name:"passphrase-file" placeholder:"FILE" help:"Take the secret key's passphrase from the first line of FILE (not readable by others). Default: ask on the terminal."`
	Verify         string   `placeholder:"FILE" help:"With -d: fail unless the message is signed by a key in FILE."`
}

// validate returns why the options do not go together, or nil.
func (o *options) validate() error {
	encrypting := len(o.Recipients) > 0 || len(o.RecipientFiles) > 0 || o.Keyring != ""
	switch {
	case o.NewKey != "" && (len(o.Recipients) != 1 || o.Decrypt || o.Check || o.Sign != "" || len(o.RecipientFiles) > 0 || o.Keyring != ""):
		return cli.UsageErrorf("--new-key wants -r 'NAME <ADDRESS>', whose key it makes, and nothing else but --passphrase-file")
	case o.NewKey != "":
		return nil
	case o.Decrypt && o.Check:
		return cli.UsageErrorf("-d and --check cannot be used together")
	case o.Decrypt && encrypting:
		return cli.UsageErrorf("-d takes no recipients: -r, -R and --keyring are for encryption")
	case o.Decrypt && o.Armor:
		return cli.UsageErrorf("-d takes no -a: armored input is recognised")
	case o.Decrypt && o.Sign != "":
		return cli.UsageErrorf("-d takes no --sign: use --verify to check a signature")
	case o.JSON && !o.Check:
		return cli.UsageErrorf("--json is for --check")
	case o.Decrypt && o.SecretKey == "":
		return cli.WithHint(cli.UsageErrorf("-d needs a secret key: -k FILE"),
			"export it with `gpg --export-secret-keys KEY > FILE`, or let GnuPG decrypt with `gpg -d`")
	case o.Decrypt:
		return nil
	case o.SecretKey != "":
		return cli.UsageErrorf("-k is for decryption: use it with -d")
	case o.Verify != "":
		return cli.UsageErrorf("--verify is for decryption: use it with -d")
	case o.PassphraseFile != "" && o.Sign == "":
		return cli.UsageErrorf("--passphrase-file is for a secret key: use it with -d or --sign")
	case o.Check && o.Sign != "":
		return cli.UsageErrorf("--check tests recipients only: leave out --sign")
	case o.Check && o.Armor:
		return cli.UsageErrorf("--check tests recipients only: leave out -a")
	case o.Keyring != "" && len(o.RecipientFiles) > 0:
		return cli.UsageErrorf("--keyring and -R cannot be used together")
	case len(o.Recipients) == 0 && len(o.RecipientFiles) == 0:
		return cli.WithHint(cli.UsageErrorf("no recipient: use -r RECIPIENT or -R FILE, or -d to decrypt"),
			"pgpipe -h lists the options")
	}
	return nil
}

func run(ctx context.Context, args []string, std cli.Streams) error {
	var o options
	done, err := cli.Parse(&o, args, std, cli.Describe{
		Tool:    "pgpipe",
		Purpose: "Encrypt stdin to OpenPGP keys, or decrypt it, and write the result to stdout.",
		Example: "tar -c . | zstd | pgpipe -r backup@example.org | s3put BUCKET:NAME\n" +
			"s3get BUCKET:NAME | pgpipe -d -k secret.pgp | zstd -d | tar -x",
	})
	if done || err != nil {
		return err
	}
	if err := o.validate(); err != nil {
		return err
	}
	log := &cli.Log{Tool: "pgpipe", W: std.Err}
	now := time.Now()
	switch {
	case o.NewKey != "":
		return runNewKey(ctx, &o, std, log)
	case o.Check:
		return runCheck(&o, std, now)
	case o.Decrypt:
		return runDecrypt(ctx, &o, std)
	}
	return runEncrypt(ctx, &o, std, log, now)
}

func runEncrypt(ctx context.Context, o *options, std cli.Streams, log *cli.Log, now time.Time) error {
	if !o.Armor && cli.IsTerminal(std.Out) {
		return cli.WithHint(cli.UsageErrorf("stdout is a terminal: not writing binary data to it"),
			"redirect stdout, or use -a for ASCII armor")
	}
	to, err := loadRecipients(o, now)
	if err != nil {
		return err
	}
	for _, r := range to {
		for _, reason := range r.passedOver {
			log.Notef("encrypting to %s; %s", r.fingerprint(), reason)
		}
	}
	m := message{to: to, armored: o.Armor}
	if o.Sign != "" {
		ask := &passphrase{ctx: ctx, file: o.PassphraseFile}
		if m.signer, err = sign.OpenSigner(o.Sign, ask.unlockAnew); err != nil {
			return err
		}
	}
	return pump(ctx, std, m.encrypt)
}

func runDecrypt(ctx context.Context, o *options, std cli.Streams) error {
	ask := &passphrase{ctx: ctx, file: o.PassphraseFile}
	secrets, err := readSecretKeys(o.SecretKey)
	if err != nil {
		return err
	}
	d := decrypter{secrets: secrets, unlock: ask.unlock}
	if o.Verify != "" {
		if d.signers, err = openVerifier(o.Verify); err != nil {
			return err
		}
	}
	return pump(ctx, std, d.decrypt)
}

// loadRecipients finds and judges everything that -r, -R and --keyring name.
func loadRecipients(o *options, now time.Time) ([]*recipient, error) {
	var selectors []selector
	for _, text := range o.Recipients {
		s, err := parseRecipient(text)
		if err != nil {
			return nil, err
		}
		selectors = append(selectors, s)
	}
	ring, err := loadRing(o)
	if err != nil {
		return nil, err
	}
	return findRecipients(ring, selectors, now)
}

func loadRing(o *options) ([]*key, error) {
	paths := o.RecipientFiles
	if len(paths) == 0 {
		path := o.Keyring
		if path == "" {
			var err error
			if path, err = defaultKeyring(); err != nil {
				return nil, err
			}
		}
		paths = []string{path}
	}
	var ring []*key
	for _, path := range paths {
		keys, err := readPublicKeys(path)
		if err != nil {
			return nil, err
		}
		ring = append(ring, keys...)
	}
	return mergeKeys(ring), nil
}
