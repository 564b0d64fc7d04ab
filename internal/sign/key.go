package sign

import (
	"bytes"
	stdcrypto "crypto"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/crypto"

	"napback/internal/sign/pgpkey"
)

// verifyKey is a key or subkey that may have signed something.
type verifyKey struct {
	entity  *openpgp.Entity
	pub     *packet.PublicKey
	expires time.Time // zero: never
	ring    *crypto.KeyRing
}

func fingerprint(pub *packet.PublicKey) string { return fmt.Sprintf("%X", pub.Fingerprint) }

func (k *verifyKey) fingerprint() string { return fingerprint(k.entity.PrimaryKey) }

func hasKeyID(e *openpgp.Entity, id uint64) bool {
	return e.PrimaryKey.KeyId == id ||
		slices.ContainsFunc(e.Subkeys, func(sub openpgp.Subkey) bool { return sub.PublicKey.KeyId == id })
}

// always is the zero time, with which the library looks at the newest
// signatures of a key whatever their dates.
var always time.Time

// signingKeys returns the keys of an entity that may sign, at whatever time.
// The error, a phrase that follows the key's name, is why one may not.
func signingKeys(e *openpgp.Entity) ([]*verifyKey, error) {
	config := pgpkey.Config(time.Now())
	if e.PrimaryKey.Version != 4 {
		return nil, fmt.Errorf("is a version %d key, which is not supported", e.PrimaryKey.Version)
	}
	if err := pgpkey.Revoked(e); err != nil {
		return nil, err
	}
	self, err := e.PrimarySelfSignature(always, config)
	if err != nil {
		return nil, errors.New("has no user id that is valid and not revoked")
	}
	expires := pgpkey.PrimaryExpiry(e, self, always, config)
	var keys []*verifyKey
	reason := errors.New("has no key that may sign")
	if maySign(e.PrimaryKey, self) {
		keys, reason = appendKey(keys, &verifyKey{entity: e, pub: e.PrimaryKey, expires: expires}, reason)
	}
	for i := range e.Subkeys {
		sub := &e.Subkeys[i]
		binding, err := judgeSubkey(sub, config)
		if err != nil {
			reason = err
			continue
		}
		end := pgpkey.Expiry(sub.PublicKey, binding)
		keys, reason = appendKey(keys, &verifyKey{entity: e, pub: sub.PublicKey, expires: pgpkey.Earlier(expires, end)}, reason)
	}
	if len(keys) == 0 {
		return nil, reason
	}
	return keys, nil
}

func appendKey(keys []*verifyKey, k *verifyKey, reason error) ([]*verifyKey, error) {
	if err := pgpkey.Weak(k.pub); err != nil {
		return keys, err
	}
	ring, err := pgpkey.Ring(k.entity.PrimaryKey, k.pub, nil)
	if err != nil {
		return keys, err
	}
	k.ring = ring
	return append(keys, k), reason
}

// maySign reports whether the self-signature of a primary key allows signing.
// Keys from before key flags existed may.
func maySign(pub *packet.PublicKey, self *packet.Signature) bool {
	return pub.PubKeyAlgo.CanSign() && (!self.FlagsValid || self.FlagSign)
}

// judgeSubkey returns the signature that binds a subkey that may sign. The
// subkey must have certified the binding in turn: else anybody could put
// another's signing key under his own, or be taken for its owner.
func judgeSubkey(sub *openpgp.Subkey, config *packet.Config) (*packet.Signature, error) {
	print := fingerprint(sub.PublicKey)
	binding, err := sub.LatestValidBindingSignature(always, config)
	switch {
	case err != nil:
		return nil, fmt.Errorf("has the subkey %s without a valid binding", print)
	case !binding.FlagsValid || !binding.FlagSign || !sub.PublicKey.PubKeyAlgo.CanSign():
		return nil, fmt.Errorf("has the subkey %s that may not sign", print)
	case binding.EmbeddedSignature == nil:
		return nil, fmt.Errorf("has the subkey %s that does not certify its primary key", print)
	}
	if err := pgpkey.SubkeyRevoked(sub); err != nil {
		return nil, fmt.Errorf("has the subkey %s, which %w", print, err)
	}
	return binding, nil
}

// dropRevoked takes away all keys that any copy of them says to be revoked.
func (v *Verifier) dropRevoked() {
	dead := map[string]bool{}
	for _, k := range v.keys {
		collectRevoked(dead, k.entity)
	}
	for _, r := range v.refused {
		collectRevoked(dead, r.entity)
	}
	v.keys = slices.DeleteFunc(v.keys, func(k *verifyKey) bool {
		return dead[k.fingerprint()] || dead[k.fingerprint()+fingerprint(k.pub)]
	})
}

// collectRevoked notes the fingerprint of a revoked key, and of revoked
// subkeys behind that of their primary key.
func collectRevoked(dead map[string]bool, e *openpgp.Entity) {
	if pgpkey.Revoked(e) != nil {
		dead[fingerprint(e.PrimaryKey)] = true
	}
	for i := range e.Subkeys {
		if sub := &e.Subkeys[i]; pgpkey.SubkeyRevoked(sub) != nil {
			dead[fingerprint(e.PrimaryKey)+fingerprint(sub.PublicKey)] = true
		}
	}
}

// verify returns why s is no valid signature of data by k.
func (k *verifyKey) verify(data []byte, s signature) error {
	if s.packet.SigType != packet.SigTypeBinary {
		return errors.New("it is no signature of binary data")
	}
	if err := k.judge(s.packet); err != nil {
		return err
	}
	if err := checkHashTag(data, s.packet); err != nil {
		return fmt.Errorf("the signature by key %s does not match: %w", k.fingerprint(), err)
	}
	// Time 0 means that gopenpgp is not to compare with a clock: judge has
	// looked at the times.
	err := k.ring.VerifyDetached(crypto.NewPlainMessage(data), crypto.NewPGPSignature(s.raw), 0)
	if err != nil {
		return fmt.Errorf("the signature by key %s does not match: %w", k.fingerprint(), err)
	}
	return nil
}

// checkHashTag compares the two bytes of the hash that a signature repeats.
// gpg refuses those that differ, the library does not look at them.
func checkHashTag(data []byte, s *packet.Signature) error {
	h, err := s.PrepareVerify()
	if err != nil {
		return err
	}
	h.Write(data)
	h.Write(s.HashSuffix)
	if !bytes.HasPrefix(h.Sum(nil), s.HashTag[:]) {
		return errors.New("it is for other bytes")
	}
	return nil
}

// VerifyHash returns why s is no valid signature by one of the keys over what
// h has hashed. It takes h's state, as the library does.
func (v *Verifier) VerifyHash(h hash.Hash, s *packet.Signature) error {
	if s.IssuerKeyId == nil {
		return errors.New("it does not say by which key it is signed")
	}
	for _, k := range v.keys {
		if k.pub.KeyId != *s.IssuerKeyId {
			continue
		}
		if err := k.judge(s); err != nil {
			return err
		}
		if err := unknownNotation(s); err != nil {
			return err
		}
		if err := k.pub.VerifySignature(h, s); err != nil {
			return fmt.Errorf("the signature by key %s does not match: %w", k.fingerprint(), err)
		}
		return nil
	}
	return v.unknown(*s.IssuerKeyId)
}

func unknownNotation(s *packet.Signature) error {
	for _, n := range s.Notations {
		if n.IsCritical {
			return fmt.Errorf("the signature has a critical note %q that is not known here", n.Name)
		}
	}
	return nil
}

// judge returns why a signature by k does not count, whatever it signs.
func (k *verifyKey) judge(s *packet.Signature) error {
	created := s.CreationTime
	by := "the signature by key " + k.fingerprint()
	switch {
	case s.Version != 4:
		return fmt.Errorf("%s has the version %d, which is not supported", by, s.Version)
	case !strong(s.Hash):
		return fmt.Errorf("%s uses a weak hash, %v", by, s.Hash)
	case s.SigLifetimeSecs != nil && *s.SigLifetimeSecs != 0:
		return fmt.Errorf("%s is made to expire", by)
	case created.Before(k.pub.CreationTime) || created.Before(k.entity.PrimaryKey.CreationTime):
		return fmt.Errorf("%s is older than the key", by)
	case !k.expires.IsZero() && !created.Before(k.expires):
		return fmt.Errorf("%s was made on %s, after the key had expired on %s", by, pgpkey.Date(created), pgpkey.Date(k.expires))
	}
	return nil
}

// strong reports whether nobody can make two texts of one hash.
func strong(h stdcrypto.Hash) bool {
	return slices.Contains([]stdcrypto.Hash{
		stdcrypto.SHA256, stdcrypto.SHA384, stdcrypto.SHA512, stdcrypto.SHA3_256, stdcrypto.SHA3_512,
	}, h)
}
