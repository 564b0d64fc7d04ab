package sign

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/crypto"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
	"napback/internal/trust"
)

// Signer signs with one unlocked key.
type Signer struct {
	entity *openpgp.Entity
	key    *packet.PublicKey
	ring   *crypto.KeyRing
}

// Unlocker opens a locked secret key: it gives try passphrases until that
// returns nil.
type Unlocker func(key *packet.PrivateKey) error

// ErrPassphrase is that a secret key does not open with a passphrase. It has
// the code cli.Passphrase.
var ErrPassphrase = cli.WithCode(cli.Passphrase, errors.New("wrong passphrase"))

// PassphraseFile unlocks with the first line of the file at path. Without a
// path only keys that are not locked can be used.
func PassphraseFile(path string) Unlocker {
	return func(key *packet.PrivateKey) error {
		if path == "" {
			return cli.WithHint(cli.Errorf(cli.Passphrase, "it needs a passphrase"), "give a file with it: --sign-passphrase-file FILE")
		}
		secret, err := trust.ReadPrivateLine("read", path)
		if err != nil {
			return err
		}
		return TryPassphrase(key, secret)
	}
}

// TryPassphrase unlocks key in place.
func TryPassphrase(key *packet.PrivateKey, secret []byte) error {
	switch err := key.Decrypt(secret); {
	case err == nil:
		return nil
	case len(secret) == 0:
		return cli.Errorf(cli.Passphrase, "the passphrase is missing: what was given for it is empty")
	}
	return cli.WithHint(ErrPassphrase, "if it is the right one, the key is damaged")
}

// OpenSigner reads the file at path, which holds one exported secret key and
// cannot be used by others, and unlocks the key that signs. The key must be
// valid now.
func OpenSigner(path string, unlock Unlocker) (*Signer, error) {
	data, err := trust.ReadPrivate("read", path, pgpkey.MaxKeyFile)
	if err != nil {
		return nil, err
	}
	keys, err := splitFile(path, data)
	if err != nil {
		return nil, err
	}
	var secret []pgpkey.Key
	for _, k := range keys {
		if k.Secret {
			secret = append(secret, k)
		}
	}
	switch {
	case len(secret) == 0:
		return nil, pgpkey.WithSecretHint(fmt.Errorf("read %q: it holds no secret key", path))
	case len(secret) > 1:
		return nil, pgpkey.WithSecretHint(fmt.Errorf("read %q: it holds %d secret keys, and one is needed", path, len(secret)))
	}
	s, err := newSigner(secret[0], unlock, time.Now())
	if err != nil {
		err = fmt.Errorf("sign with key %s from %q: %w", secret[0].Describe(), path, err)
		if secret[0].HasCardStub() {
			err = pgpkey.WithCardHint(err)
		}
		return nil, err
	}
	return s, nil
}

func splitFile(path string, data []byte) ([]pgpkey.Key, error) {
	blocks, err := pgpkey.Blocks(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	var keys []pgpkey.Key
	for _, block := range blocks {
		more, err := pgpkey.Split(block)
		if err != nil {
			return nil, fmt.Errorf("read %q: damaged: %w", path, err)
		}
		keys = append(keys, more...)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read %q: holds no OpenPGP keys", path)
	}
	return keys, nil
}

func newSigner(k pgpkey.Key, unlock Unlocker, now time.Time) (*Signer, error) {
	entity, err := k.Entity()
	if err != nil {
		return nil, err
	}
	config := pgpkey.Config(now)
	if err := pgpkey.Revoked(entity); err != nil {
		return nil, err
	}
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return nil, err
	}
	signing, ok := entity.SigningKey(now, config)
	switch {
	case !ok:
		return nil, errors.New("it has no valid signing key")
	case signing.PrivateKey == nil || signing.PrivateKey.Dummy():
		return nil, fmt.Errorf("the secret part of its signing key %X is not in the file", signing.PublicKey.Fingerprint)
	case signing.PrivateKey.Encrypted:
		if err := unlock(signing.PrivateKey); err != nil {
			return nil, fmt.Errorf("unlock secret key %X: %w", signing.PublicKey.Fingerprint, err)
		}
	}
	s := &Signer{entity: entity, key: signing.PublicKey}
	if s.ring, err = pgpkey.Ring(entity.PrimaryKey, signing.PublicKey, signing.PrivateKey); err != nil {
		return nil, err
	}
	v := &Verifier{}
	v.add(entity)
	return s, s.CheckWith(v)
}

// Fingerprint names the primary key, in upper-case hexadecimal digits.
func (s *Signer) Fingerprint() string { return fingerprint(s.entity.PrimaryKey) }

// Key is the key that signs: the primary key or a subkey.
func (s *Signer) Key() *packet.PublicKey { return s.key }

// Sign returns a detached binary signature of data.
func (s *Signer) Sign(data []byte) ([]byte, error) { return s.SignStream(bytes.NewReader(data)) }

// SignStream returns a detached binary signature of all that it reads from r.
func (s *Signer) SignStream(r io.Reader) ([]byte, error) {
	signature, err := s.ring.SignDetachedStream(r)
	if err != nil {
		return nil, fmt.Errorf("sign with key %s: %w", s.Fingerprint(), err)
	}
	return signature.GetBinary(), nil
}

// CheckWith returns why v would not accept what s signs.
func (s *Signer) CheckWith(v *Verifier) error {
	trial := []byte("a trial signature")
	signature, err := s.Sign(trial)
	if err != nil {
		return err
	}
	if err := v.Verify(trial, signature); err != nil {
		return cli.WithCode(cli.Usage, fmt.Errorf("what key %s signs would not be accepted: %w", s.Fingerprint(), err))
	}
	return nil
}
