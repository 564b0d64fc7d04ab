package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"

	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/trust"
)

// runNewKey makes a key pair: the secret key goes to a new file, the public one to
// stdout.
func runNewKey(ctx context.Context, o *options, std cli.Streams, log *cli.Log) error {
	who, err := mail.ParseAddress(o.Recipients[0])
	if err != nil {
		return cli.UsageErrorf("-r %q: want a whole user id for the new key, as 'Backup <backup@example.org>', or an address", o.Recipients[0])
	}
	secret, err := newPassphrase(ctx, o.PassphraseFile)
	if err != nil {
		return err
	}
	if len(secret) == 0 {
		log.Notef("the new secret key is not locked with a passphrase: whoever has %q can decrypt", o.NewKey)
	}
	pair, err := sign.NewKey(who.Name, who.Address, secret)
	if err != nil {
		return fmt.Errorf("make a key pair: %w", err)
	}
	f, err := os.OpenFile(o.NewKey, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make the secret key's file: %w", err)
	}
	_, err = f.Write(pair.Secret)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		_, err = std.Out.Write(pair.Public)
	}
	if err != nil {
		// A key of which nobody has the public part is of no use.
		return errors.Join(fmt.Errorf("write the key pair: %w", err), os.Remove(o.NewKey))
	}
	return nil
}

// newPassphrase is what locks a new key, "" for nothing.
func newPassphrase(ctx context.Context, file string) ([]byte, error) {
	if file != "" {
		return trust.ReadPrivateLine("passphrase file", file)
	}
	if !cli.HasTerminal() {
		return nil, nil
	}
	first, err := cli.AskSecret(ctx, "Passphrase for the new secret key (Enter for none): ")
	if err != nil || len(first) == 0 {
		return nil, err
	}
	again, err := cli.AskSecret(ctx, "Once more: ")
	if err == nil && !bytes.Equal(first, again) {
		err = errors.New("these were two different passphrases")
	}
	return first, err
}
