package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// recipient is a key that may be encrypted to, now.
type recipient struct {
	primary    *packet.PublicKey
	subkey     *packet.PublicKey // what the session key is encrypted to
	userID     string
	expires    time.Time // the first moment at which it may no longer be used; zero: never
	passedOver []string  // other keys of that address, and why they are not used
}

func (r *recipient) same(other *recipient) bool {
	return bytes.Equal(r.subkey.Fingerprint, other.subkey.Fingerprint)
}

func (r *recipient) fingerprint() string { return fmt.Sprintf("%X", r.primary.Fingerprint) }

// judge decides whether k may be encrypted to at the time now, and to which
// of its subkeys. An error says what is wrong as a phrase that follows the
// key's name. It is stricter than the library: a revocation counts whatever its
// date, as with gpg.
func judge(k *key, s selector, now time.Time) (*recipient, error) {
	entity, err := k.entity()
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	config := pgpkey.Config(now)
	self, err := judgePrimary(entity, now, config)
	if err != nil {
		return nil, err
	}
	if err := judgeOwnership(entity, s, now, config); err != nil {
		return nil, err
	}
	userID, err := judgeUserID(entity, s, now, config)
	if err != nil {
		return nil, err
	}
	r := &recipient{primary: entity.PrimaryKey, userID: userID, expires: pgpkey.PrimaryExpiry(entity, self, now, config)}
	if !r.expires.IsZero() && !now.Before(r.expires) {
		return nil, fmt.Errorf("expired on %s", pgpkey.Date(r.expires))
	}
	subkey, binding, err := encryptionKey(entity, self, s, now, config)
	if err != nil {
		return nil, err
	}
	r.subkey = subkey
	r.expires = pgpkey.Earlier(r.expires, pgpkey.Expiry(subkey, binding))
	return r, nil
}

// judgePrimary returns the self-signature that holds the primary key's
// properties.
func judgePrimary(e *openpgp.Entity, now time.Time, config *packet.Config) (*packet.Signature, error) {
	pub := e.PrimaryKey
	if pub.Version != 4 {
		return nil, fmt.Errorf("is a version %d key, which is not supported", pub.Version)
	}
	if err := pgpkey.Revoked(e); err != nil {
		return nil, err
	}
	if pub.CreationTime.After(now) {
		return nil, fmt.Errorf("is not valid before %s", pgpkey.Date(pub.CreationTime))
	}
	if err := pgpkey.Weak(pub); err != nil {
		return nil, err
	}
	self, err := e.PrimarySelfSignature(now, config)
	if err == nil {
		return self, nil
	}
	for _, id := range e.Identities {
		if sig, err := id.LatestValidSelfCertification(now, config); err == nil && id.Revoked(sig, now, config) {
			return nil, errors.New("has only revoked user ids")
		}
	}
	return nil, errors.New("has no user id with a valid self-signature")
}

// judgeUserID returns the user id to show: the one that was asked for, or with the
// address that was, which must be valid, or the primary one.
func judgeUserID(e *openpgp.Entity, s selector, now time.Time, config *packet.Config) (string, error) {
	if s.email == "" {
		_, id := e.PrimaryIdentity(now, config)
		return cli.Safe(id.Name), nil
	}
	err := errors.New("has that address only in a user id without self-signature")
	for name, id := range e.Identities {
		if !s.names(name) {
			continue
		}
		if _, failed := id.Verify(now, config); failed == nil {
			return cli.Safe(name), nil
		}
		err = errors.New("has that address only in a user id that is revoked, expired or not self-signed")
	}
	return "", err
}

// judgeOwnership refuses a key that was named by a subkey that it holds but that
// is not bound to it: anybody can put another's subkey there.
func judgeOwnership(e *openpgp.Entity, s selector, now time.Time, config *packet.Config) error {
	if s.hex == "" || s.matchesPrint(fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)) {
		return nil
	}
	for i := range e.Subkeys {
		sub := &e.Subkeys[i]
		if !s.matchesPrint(fmt.Sprintf("%X", sub.PublicKey.Fingerprint)) {
			continue
		}
		if _, err := sub.LatestValidBindingSignature(now, config); err == nil {
			return nil
		}
	}
	return errors.New("holds that subkey without a valid binding signature")
}

// encryptionKey returns the newest valid encryption subkey, as gpg does, or
// the primary key if it may encrypt itself, with the signature that binds it.
func encryptionKey(e *openpgp.Entity, self *packet.Signature, s selector, now time.Time, config *packet.Config) (*packet.PublicKey, *packet.Signature, error) {
	var best *packet.PublicKey
	var binding *packet.Signature
	var refused []string
	for i := range e.Subkeys {
		sub := &e.Subkeys[i]
		if s.subkey && !s.matchesPrint(fmt.Sprintf("%X", sub.PublicKey.Fingerprint)) {
			continue
		}
		sig, err := judgeSubkey(sub, now, config)
		if err != nil {
			refused = append(refused, fmt.Sprintf("subkey %X %v", sub.PublicKey.Fingerprint, err))
			continue
		}
		if sig != nil && (best == nil || sub.PublicKey.CreationTime.After(best.CreationTime)) {
			best, binding = sub.PublicKey, sig
		}
	}
	primary := !s.subkey || s.matchesPrint(fmt.Sprintf("%X", e.PrimaryKey.Fingerprint))
	if best == nil && primary && mayEncrypt(e.PrimaryKey, self) {
		best, binding = e.PrimaryKey, self
	}
	switch {
	case best != nil:
		return best, binding, nil
	case len(refused) > 0:
		return nil, nil, fmt.Errorf("has no usable encryption subkey: %s", strings.Join(refused, ", "))
	case s.subkey:
		return nil, nil, errors.New("is not an encryption key")
	}
	return nil, nil, errors.New("has no encryption subkey")
}

// judgeSubkey returns the binding signature of a subkey that may be encrypted
// to now, nil if it is not for encryption, or an error with the reason.
func judgeSubkey(sub *openpgp.Subkey, now time.Time, config *packet.Config) (*packet.Signature, error) {
	pub := sub.PublicKey
	if !pub.PubKeyAlgo.CanEncrypt() {
		return nil, nil
	}
	sig, err := sub.LatestValidBindingSignature(now, config)
	if err != nil {
		if pub.CreationTime.After(now) {
			return nil, fmt.Errorf("is not valid before %s", pgpkey.Date(pub.CreationTime))
		}
		return nil, errors.New("has no valid binding signature")
	}
	if !mayEncrypt(pub, sig) {
		return nil, nil
	}
	if err := pgpkey.SubkeyRevoked(sub); err != nil {
		return nil, err
	}
	if pub.CreationTime.After(now) {
		return nil, fmt.Errorf("is not valid before %s", pgpkey.Date(pub.CreationTime))
	}
	if expires := pgpkey.Expiry(pub, sig); !expires.IsZero() && !now.Before(expires) {
		return nil, fmt.Errorf("expired on %s", pgpkey.Date(expires))
	}
	return sig, pgpkey.Weak(pub)
}

// mayEncrypt reports whether the signature that binds pub allows encryption.
func mayEncrypt(pub *packet.PublicKey, sig *packet.Signature) bool {
	if !pub.PubKeyAlgo.CanEncrypt() {
		return false
	}
	return !sig.FlagsValid || sig.FlagEncryptStorage || sig.FlagEncryptCommunications
}
