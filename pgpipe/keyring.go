package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// maxKeys bounds the keys of a keyring.
const maxKeys = 100_000

// key is one OpenPGP key of a keyring, perhaps in several copies, with its
// subkeys and user ids. It is parsed when it is asked for: one that cannot be
// parsed harms no other, and a keyring takes little more memory than its file.
type key struct {
	copies []pgpkey.Key // at least one
}

func newKey(k pgpkey.Key) *key {
	return &key{copies: []pgpkey.Key{k}}
}

// secret tells that it holds a secret primary key or subkey.
func (k *key) secret() bool {
	return slices.ContainsFunc(k.copies, func(c pgpkey.Key) bool { return c.Secret })
}

// mergeKeys makes one key of several copies of it, as an import would: what
// one copy says, say a revocation, must not depend on which copy is looked at.
func mergeKeys(keys []*key) []*key {
	var merged []*key
	first := map[string]*key{}
	for _, k := range keys {
		print := k.copies[0].Fingerprint
		known := first[print]
		if known == nil || print == "" {
			first[print] = k
			merged = append(merged, k)
			continue
		}
		known.copies = append(known.copies, k.copies...)
	}
	return merged
}

// Bounds on what is parsed of one key.
const (
	maxCopies = 20
	maxCopied = 2 << 20 // bytes of all its copies
)

// entity parses the key: all its copies as one.
func (k *key) entity() (*openpgp.Entity, error) {
	if len(k.copies) > maxCopies {
		return nil, errTooMany("copies of it", maxCopies)
	}
	var whole *openpgp.Entity
	unreadable := errors.New("it holds no key")
	size := 0
	for _, c := range k.copies {
		own, err := c.Own()
		if size += len(own); size > maxCopied {
			return nil, fmt.Errorf("its copies take more than %s", cli.FormatSize(maxCopied))
		}
		var e *openpgp.Entity
		if err == nil {
			e, err = pgpkey.ParseOwn(own)
		}
		switch {
		case err != nil:
			unreadable = err
		case whole == nil:
			whole = e
		default:
			mergeEntities(whole, e)
		}
	}
	if whole == nil {
		return nil, unreadable
	}
	return whole, nil
}

func mergeEntities(e, from *openpgp.Entity) {
	e.Revocations = append(e.Revocations, from.Revocations...)
	e.DirectSignatures = append(e.DirectSignatures, from.DirectSignatures...)
	for name, id := range from.Identities {
		if known := e.Identities[name]; known != nil {
			known.SelfCertifications = append(known.SelfCertifications, id.SelfCertifications...)
			known.Revocations = append(known.Revocations, id.Revocations...)
			continue
		}
		id.Primary = e
		e.Identities[name] = id
	}
	for _, sub := range from.Subkeys {
		mergeSubkey(e, sub)
	}
}

func mergeSubkey(e *openpgp.Entity, sub openpgp.Subkey) {
	for i := range e.Subkeys {
		known := &e.Subkeys[i]
		if bytes.Equal(known.PublicKey.Fingerprint, sub.PublicKey.Fingerprint) {
			known.Bindings = append(known.Bindings, sub.Bindings...)
			known.Revocations = append(known.Revocations, sub.Revocations...)
			return
		}
	}
	sub.Primary = e
	e.Subkeys = append(e.Subkeys, sub)
}
