package main

import (
	"errors"
	"fmt"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
)

// loadSigner returns the key in the file at path, with its signing key
// unlocked.
func loadSigner(path string, ask *passphrase, now time.Time) (*openpgp.Entity, error) {
	data, err := readPrivate(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	keys, err := parseKeyFile(path, data)
	if err != nil {
		return nil, err
	}
	var secret []*key
	for _, k := range keys {
		if k.secret {
			secret = append(secret, k)
		}
	}
	switch {
	case len(secret) == 0:
		return nil, withSecretHint(fmt.Errorf("read %q: it holds no secret key", path))
	case len(secret) > 1:
		return nil, withSecretHint(fmt.Errorf("read %q: it holds %d secret keys, and one is needed", path, len(secret)))
	}
	entity, err := signingEntity(secret[0], ask, now)
	if err != nil {
		err = fmt.Errorf("sign with key %s from %q: %w", secret[0].describe(), path, err)
		if hasCardStub(data) {
			err = withCardHint(err)
		}
		return nil, err
	}
	return entity, nil
}

func signingEntity(k *key, ask *passphrase, now time.Time) (*openpgp.Entity, error) {
	if k.entity == nil {
		return nil, k.unreadable
	}
	config := pgpConfig(now)
	if _, err := k.entity.VerifyPrimaryKey(now, config); err != nil {
		return nil, err
	}
	signing, ok := k.entity.SigningKey(now, config)
	switch {
	case !ok:
		return nil, errors.New("it has no valid signing key")
	case signing.PrivateKey == nil || signing.PrivateKey.Dummy():
		return nil, fmt.Errorf("the secret part of its signing key %X is not in the file", signing.PublicKey.Fingerprint)
	case signing.PrivateKey.Encrypted:
		return k.entity, ask.unlock(signing.PrivateKey)
	}
	return k.entity, nil
}

// readSigners returns the keys in the file at path, for --verify.
func readSigners(path string) (openpgp.EntityList, error) {
	keys, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	var signers openpgp.EntityList
	for _, k := range keys {
		if k.entity == nil {
			return nil, fmt.Errorf("read %q: key %s cannot be read: %w", path, k.describe(), k.unreadable)
		}
		signers = append(signers, k.entity)
	}
	return signers, nil
}

func withSecretHint(err error) error {
	return cli.WithHint(err, "export it with `gpg --export-secret-keys KEY > FILE`")
}

func withCardHint(err error) error {
	return cli.WithHint(err, "the file only says that a secret key is on a smart card, which GnuPG can use: gpg -d or gpg -s")
}
