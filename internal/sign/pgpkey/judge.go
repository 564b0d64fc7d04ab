package pgpkey

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// MinRSABits is the shortest RSA key that is accepted: some 2048-bit keys
// have a modulus one bit shorter.
const MinRSABits = 2047

// Config is how the library is to judge keys and signatures.
func Config(now time.Time) *packet.Config {
	return &packet.Config{
		Time:          func() time.Time { return now },
		DefaultCipher: packet.CipherAES256,
		MinRSABits:    MinRSABits,
		// Keys from before key flags existed count as capable of all that
		// their algorithm can do, as with gpg.
		InsecureAllowAllKeyFlagsWhenMissing: true,
	}
}

// Weak returns why a key's algorithm is not accepted.
func Weak(pub *packet.PublicKey) error {
	switch pub.PubKeyAlgo {
	case packet.PubKeyAlgoDSA, packet.PubKeyAlgoElGamal:
		return fmt.Errorf("uses %s, which is too old to be trusted with new backups", Algorithm(pub))
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly, packet.PubKeyAlgoRSASignOnly:
		if bits, err := pub.BitLength(); err != nil || bits < MinRSABits {
			return fmt.Errorf("is an RSA key of %d bits; 2048 or more are needed", bits)
		}
	case packet.PubKeyAlgoMlkem768X25519, packet.PubKeyAlgoMlkem1024X448:
		return errors.New("uses a post-quantum algorithm, which is not supported")
	case packet.PubKeyAlgoECDH, packet.PubKeyAlgoECDSA, packet.PubKeyAlgoEdDSA:
		if curve, err := pub.Curve(); err != nil || curve == packet.CurveSecP256k1 {
			return fmt.Errorf("uses the elliptic curve %s, which is not supported", Algorithm(pub))
		}
	}
	return nil
}

// Algorithm names a public key's algorithm as gpg does.
func Algorithm(pub *packet.PublicKey) string {
	bits, _ := pub.BitLength()
	switch pub.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSAEncryptOnly, packet.PubKeyAlgoRSASignOnly:
		return fmt.Sprintf("rsa%d", bits)
	case packet.PubKeyAlgoDSA:
		return fmt.Sprintf("dsa%d", bits)
	case packet.PubKeyAlgoElGamal:
		return fmt.Sprintf("elg%d", bits)
	case packet.PubKeyAlgoX25519:
		return "x25519"
	case packet.PubKeyAlgoX448:
		return "x448"
	}
	curve, err := pub.Curve()
	if err != nil {
		return fmt.Sprintf("algorithm %d", pub.PubKeyAlgo)
	}
	switch curve {
	case packet.Curve25519:
		if pub.PubKeyAlgo == packet.PubKeyAlgoECDH {
			return "cv25519"
		}
		return "ed25519"
	case packet.CurveNistP256, packet.CurveNistP384, packet.CurveNistP521:
		return "nist" + strings.ToLower(string(curve))
	}
	return strings.ToLower(string(curve))
}

// Revoked says when the key itself was revoked, as a phrase that follows its
// name. Every reason counts, and so does every date.
func Revoked(e *openpgp.Entity) error {
	for _, rev := range e.Revocations {
		if e.PrimaryKey.VerifyRevocationSignature(rev.Packet) == nil {
			return fmt.Errorf("was revoked on %s", Date(rev.Packet.CreationTime))
		}
	}
	return nil
}

// SubkeyRevoked is Revoked for a subkey.
func SubkeyRevoked(sub *openpgp.Subkey) error {
	for _, rev := range sub.Revocations {
		if sub.Primary.PrimaryKey.VerifySubkeyRevocationSignature(rev.Packet, sub.PublicKey) == nil {
			return fmt.Errorf("was revoked on %s", Date(rev.Packet.CreationTime))
		}
	}
	return nil
}

// PrimaryExpiry is when a primary key expires of which self is the
// self-signature that counts at that moment; zero is never.
func PrimaryExpiry(e *openpgp.Entity, self *packet.Signature, at time.Time, config *packet.Config) time.Time {
	expires := Expiry(e.PrimaryKey, self)
	if direct, _ := e.LatestValidDirectSignature(at, config); direct != nil {
		expires = Earlier(expires, after(e.PrimaryKey.CreationTime, direct.KeyLifetimeSecs))
	}
	return expires
}

// Expiry is when sig, or pub by what sig says, expires; zero is never.
func Expiry(pub *packet.PublicKey, sig *packet.Signature) time.Time {
	return Earlier(after(pub.CreationTime, sig.KeyLifetimeSecs), after(sig.CreationTime, sig.SigLifetimeSecs))
}

func after(t time.Time, seconds *uint32) time.Time {
	if seconds == nil || *seconds == 0 {
		return time.Time{}
	}
	return t.Add(time.Duration(*seconds) * time.Second)
}

// Earlier returns the earlier of two moments of which zero means never.
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Date shows a moment.
func Date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
