package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/sign/pgpkey"
	"napback/internal/trust"
)

// secretKey is a secret primary key or subkey, perhaps still locked.
type secretKey struct {
	*packet.PrivateKey
	primary []byte // the primary key's fingerprint
}

// secretKeys are what a key file offers for decryption. Their user ids and
// signatures play no part: an expired or revoked key still opens old backups.
// gopenpgp's keys have to have valid ones, and unlock all parts or none; so
// the packets are read one by one here.
type secretKeys struct {
	path  string
	keys  []secretKey
	cards bool // some are only stubs for keys on a smart card
}

// maxSecretKeys bounds the secret keys of a file.
const maxSecretKeys = 1000

// readSecretKeys reads the secret keys in the file at path.
func readSecretKeys(path string) (*secretKeys, error) {
	data, err := trust.ReadPrivate("read", path, pgpkey.MaxKeyring)
	if err != nil {
		return nil, err
	}
	blocks, err := keyBlocks(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	s := &secretKeys{path: path}
	var failed error
	for _, block := range blocks {
		unread, err := s.add(block)
		if err != nil {
			return nil, fmt.Errorf("read %q: damaged: %w", path, err)
		}
		failed = errors.Join(failed, unread)
	}
	switch {
	case len(s.keys) > 0:
		return s, nil
	case s.cards:
		return nil, pgpkey.WithCardHint(fmt.Errorf("read %q: it holds no secret key that can be used here", path))
	case failed != nil:
		return nil, fmt.Errorf("read %q: %w", path, failed)
	}
	return nil, pgpkey.WithSecretHint(fmt.Errorf("read %q: it holds no secret key", path))
}

// add collects the secret keys of a sequence of packets. unread tells of
// one that the library does not understand.
func (s *secretKeys) add(packets []byte) (unread, err error) {
	var primary []byte
	for p, err := range pgpkey.Packets(packets) {
		switch {
		case err != nil:
			return unread, err
		case !pgpkey.IsSecret(p.Tag):
			continue
		case p.IsCardStub():
			s.cards = true
			continue
		}
		parsed, err := p.Parse()
		private, ok := parsed.(*packet.PrivateKey)
		if err != nil || !ok {
			unread = err
			continue
		}
		if p.Tag == pgpkey.TagSecretKey {
			primary = private.Fingerprint
		}
		if private.Dummy() {
			continue
		}
		if len(s.keys) == maxSecretKeys {
			return unread, fmt.Errorf("more than %d secret keys", maxSecretKeys)
		}
		s.keys = append(s.keys, secretKey{private, primary})
	}
	return unread, nil
}

// matching returns the keys that may open a session key packet.
func (s *secretKeys) matching(p *packet.EncryptedKey) []secretKey {
	return slices.DeleteFunc(slices.Clone(s.keys), func(k secretKey) bool {
		hidden := p.KeyId == 0
		return k.PubKeyAlgo != p.Algo || !hidden && k.KeyId != p.KeyId
	})
}
