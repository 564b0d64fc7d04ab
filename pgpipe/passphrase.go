package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/sign/pgpkey"
)

// attempts is how often the terminal is asked for a passphrase.
const attempts = 3

// passphrase unlocks secret keys with what a file says or a person types.
type passphrase struct {
	ctx  context.Context
	file string // empty: ask on the terminal
	last []byte // what unlocked the previous key; nil if none did
}

// unlock decrypts a secret key in place.
func (p *passphrase) unlock(key *packet.PrivateKey) error {
	if p.last != nil && key.Decrypt(p.last) == nil {
		return nil
	}
	err := p.unlockAnew(key)
	if err != nil {
		return cli.OrCode(cli.Passphrase, fmt.Errorf("unlock secret key %X: %w", key.Fingerprint, err))
	}
	return nil
}

func (p *passphrase) unlockAnew(key *packet.PrivateKey) error {
	if p.file != "" {
		secret, err := pgpkey.ReadPassphrase(p.file)
		if err != nil {
			return err
		}
		return p.try(key, secret)
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return cli.WithHint(errors.New("it needs a passphrase, and there is no terminal to ask for one"),
			"use --passphrase-file FILE")
	}
	defer tty.Close()
	for range attempts {
		var secret []byte
		secret, err = cli.AskSecret(p.ctx, tty, fmt.Sprintf("Passphrase for secret key %X: ", key.Fingerprint))
		if err != nil {
			return err
		}
		if err = p.try(key, secret); err == nil {
			return nil
		}
	}
	return err
}

func (p *passphrase) try(key *packet.PrivateKey, secret []byte) error {
	err := sign.TryPassphrase(key, secret)
	if err == nil {
		p.last = secret
	}
	return err
}
