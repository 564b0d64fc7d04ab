package pgpkey

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
)

// Bounds on one key and on the keys of a file. They leave room for the
// largest that people have: what other keys say of a key does not count.
const (
	maxKeys   = 100_000
	maxKey    = 1 << 20
	maxUserID = 4 << 10 // GnuPG reads 2 kB
	maxIDs    = 1000    // user ids and subkeys that a key is looked for by
)

// Key is one OpenPGP key of a file, with its subkeys and user ids, not parsed
// yet. It is a part of the file's contents.
type Key struct {
	Fingerprint string // of the primary key, upper-case hex; empty if unknown
	Secret      bool   // holds a secret primary key or subkey
	raw         []byte
}

// Split cuts a sequence of packets at the primary keys.
func Split(packets []byte) ([]Key, error) {
	var keys []Key
	start := -1
	all := packets
	for {
		p, rest, err := Next(packets)
		here := len(all) - len(packets)
		if err == io.EOF || err == nil && isPrimary(p.Tag) {
			if start >= 0 {
				keys[len(keys)-1].raw = all[start:here]
			}
			if err == io.EOF {
				return keys, nil
			}
			if len(keys) == maxKeys {
				return nil, fmt.Errorf("more than %d keys", maxKeys)
			}
			start = here
			keys = append(keys, Key{Fingerprint: p.fingerprint()})
		}
		if err != nil {
			return nil, err
		}
		if start >= 0 && IsSecret(p.Tag) {
			keys[len(keys)-1].Secret = true
		}
		packets = rest
	}
}

// Prints returns the fingerprints of the primary key and its subkeys.
func (k Key) Prints() []string {
	var prints []string
	k.each(func(p Packet) {
		if print := p.fingerprint(); print != "" {
			prints = append(prints, print)
		}
	})
	return prints
}

// UserIDs returns the user ids as they stand in the file; nothing of them is
// verified.
func (k Key) UserIDs() []string {
	var ids []string
	k.each(func(p Packet) {
		if p.Tag == TagUserID && len(p.Body) <= maxUserID {
			ids = append(ids, string(p.Body))
		}
	})
	return ids
}

// each calls f for the packets that a key is looked for by.
func (k Key) each(f func(Packet)) {
	seen := 0
	for p, err := range Packets(k.raw) {
		if err != nil || seen == maxIDs {
			return
		}
		if IsKey(p.Tag) || p.Tag == TagUserID {
			f(p)
			seen++
		}
	}
}

// HasCardStub reports whether a secret key of it is only a note that GnuPG
// has it on a smart card.
func (k Key) HasCardStub() bool {
	for p := range Packets(k.raw) {
		if p.IsCardStub() {
			return true
		}
	}
	return false
}

// Describe names a key for people: fingerprint and first user id.
func (k Key) Describe() string {
	name := k.Fingerprint
	if name == "" {
		name = "(unknown fingerprint)"
	}
	if ids := k.UserIDs(); len(ids) > 0 {
		name += " " + cli.Safe(ids[0])
	}
	return name
}

// Entity parses the key. Certifications by other keys and user attributes are
// left out.
func (k Key) Entity() (*openpgp.Entity, error) {
	own, err := k.Own()
	if err != nil {
		return nil, err
	}
	return ParseOwn(own)
}

// ParseOwn is Entity for what Own returned. The entity takes some twenty times
// as much memory.
func ParseOwn(own []byte) (*openpgp.Entity, error) {
	return openpgp.ReadEntity(packet.NewReader(bytes.NewReader(own)))
}

// Own returns the packets that the key's owner has made.
func (k Key) Own() ([]byte, error) {
	o := owner{}
	for p, err := range Packets(k.raw) {
		if err == nil {
			err = o.add(p)
		}
		if err != nil {
			return nil, err
		}
		if len(o.packets) > maxKey {
			return nil, fmt.Errorf("more than %s of user ids, subkeys and signatures of its own", cli.FormatSize(maxKey))
		}
	}
	return o.packets, nil
}

// owner collects the packets of a key's owner.
type owner struct {
	primary *packet.PublicKey
	about   byte // the type of the last packet that signatures follow
	packets []byte
}

func (o *owner) add(p Packet) error {
	switch p.Tag {
	case TagSignature:
		if o.keepSignature(p) {
			o.packets = append(o.packets, p.Raw...)
		}
		return nil
	case tagAttribute:
		// It stays as an empty one, so that what follows it does not seem to
		// follow what is before it.
		p.Raw = []byte{0xC0 | tagAttribute, 0}
	case TagUserID:
		if len(p.Body) > maxUserID {
			return fmt.Errorf("a user id of %d bytes", len(p.Body))
		}
	case TagPublicKey, TagSecretKey, TagPublicSubkey, TagSecretSubkey:
		if len(p.Body) > maxKeyPacket {
			return fmt.Errorf("a key packet of %d bytes", len(p.Body))
		}
	default:
		if len(p.Body) > maxKeyPacket {
			return nil
		}
	}
	if isPrimary(p.Tag) {
		var err error
		if o.primary, err = p.public(); err != nil {
			return err
		}
	}
	if IsKey(p.Tag) || p.Tag == TagUserID || p.Tag == tagAttribute {
		o.about = p.Tag
	}
	o.packets = append(o.packets, p.Raw...)
	return nil
}

// keepSignature drops only certifications of user ids and attributes by other
// keys: a revocation by whomever is for the library to judge.
func (o *owner) keepSignature(p Packet) bool {
	if o.about != TagUserID && o.about != tagAttribute {
		return true
	}
	parsed, err := p.Parse()
	if err != nil {
		_, unsupported := errors.AsType[pgperrors.UnsupportedError](err)
		return !unsupported
	}
	sig, ok := parsed.(*packet.Signature)
	if !ok {
		return true
	}
	switch sig.SigType {
	case packet.SigTypeGenericCert, packet.SigTypePersonaCert, packet.SigTypeCasualCert, packet.SigTypePositiveCert, packet.SigTypeCertificationRevocation:
		return o.about == TagUserID && o.primary != nil && sig.CheckKeyIdOrFingerprint(o.primary)
	}
	return true
}
