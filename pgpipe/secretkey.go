package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// secretKey is a secret primary key or subkey, perhaps still locked.
type secretKey struct {
	*packet.PrivateKey
	primary []byte // the primary key's fingerprint
}

// secretKeys are what a key file offers for decryption. Their user ids and
// signatures play no part: an expired or revoked key still opens old backups.
type secretKeys struct {
	path  string
	keys  []secretKey
	cards bool // some are only stubs for keys on a smart card
}

// readSecretKeys reads the secret keys in the file at path.
func readSecretKeys(path string) (*secretKeys, error) {
	data, err := readPrivate(path, maxKeyFile)
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
		return nil, withCardHint(fmt.Errorf("read %q: it holds no secret key that can be used here", path))
	case failed != nil:
		return nil, fmt.Errorf("read %q: %w", path, failed)
	}
	return nil, withSecretHint(fmt.Errorf("read %q: it holds no secret key", path))
}

// add collects the secret keys of a sequence of packets. unread tells of
// those that the library does not understand.
func (s *secretKeys) add(packets []byte) (unread, err error) {
	var primary []byte
	reader := packet.NewOpaqueReader(bytes.NewReader(packets))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return unread, nil
		}
		if err != nil {
			return unread, err
		}
		if p.Tag != tagSecretKey && p.Tag != tagSecretSubkey {
			continue
		}
		if isCardStub(p.Contents) {
			s.cards = true
			continue
		}
		parsed, err := p.Parse()
		private, ok := parsed.(*packet.PrivateKey)
		if err != nil || !ok {
			unread = errors.Join(unread, err)
			continue
		}
		if p.Tag == tagSecretKey {
			primary = private.Fingerprint
		}
		if !private.Dummy() {
			s.keys = append(s.keys, secretKey{private, primary})
		}
	}
}

// hasCardStub reports whether a key file has a stub for a key on a card.
func hasCardStub(data []byte) bool {
	blocks, err := keyBlocks(data)
	if err != nil {
		return false
	}
	for _, block := range blocks {
		s := &secretKeys{}
		if _, err := s.add(block); err == nil && s.cards {
			return true
		}
	}
	return false
}

// isCardStub recognises GnuPG's string-to-key type 101, mode 2: the secret
// key is on a smart card (GnuPG's doc/DETAILS, "GNU extensions to the S2K
// algorithm").
func isCardStub(contents []byte) bool {
	i := bytes.LastIndex(contents, []byte("GNU\x02"))
	return i >= 2 && contents[i-2] == 101
}

// matching returns the keys that may open a session key packet.
func (s *secretKeys) matching(p *packet.EncryptedKey) []secretKey {
	var keys []secretKey
	for _, k := range s.keys {
		hidden := p.KeyId == 0
		if k.PubKeyAlgo == p.Algo && (hidden || k.KeyId == p.KeyId) {
			keys = append(keys, k)
		}
	}
	return keys
}
