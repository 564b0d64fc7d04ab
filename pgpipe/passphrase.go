package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/trust"
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
		return fmt.Errorf("unlock secret key %X: %w", key.Fingerprint, err)
	}
	return nil
}

func (p *passphrase) unlockAnew(key *packet.PrivateKey) error {
	if p.file != "" {
		secret, err := trust.ReadPrivateLine("read", p.file)
		if err != nil {
			return err
		}
		return p.try(key, secret)
	}
	var failed error
	for range attempts {
		secret, err := cli.AskSecret(p.ctx, fmt.Sprintf("Passphrase for secret key %X: ", key.Fingerprint))
		if errors.Is(err, cli.ErrNoTerminal) {
			return cli.WithHint(cli.Errorf(cli.Passphrase, "it needs a passphrase, and there is no terminal to ask for one"),
				"use --passphrase-file FILE")
		}
		if err != nil {
			return cli.OrCode(cli.Passphrase, err)
		}
		if failed = p.try(key, secret); failed == nil {
			return nil
		}
	}
	return failed
}

func (p *passphrase) try(key *packet.PrivateKey, secret []byte) error {
	err := sign.TryPassphrase(key, secret)
	if err == nil {
		p.last = secret
	}
	return err
}
