package pgpkey

import (
	"fmt"

	openpgp "github.com/ProtonMail/go-crypto/openpgp"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/crypto"
)

// Ring hands one key or subkey to gopenpgp: a keyring in which gopenpgp can
// choose no other. The caller has judged pub by rules of its own, which are
// stricter; so its self-signatures say only that it may do everything.
// private is its unlocked secret part, nil if there is none.
func Ring(primary, pub *packet.PublicKey, private *packet.PrivateKey) (*crypto.KeyRing, error) {
	judged := &packet.Signature{
		CreationTime: pub.CreationTime,
		FlagsValid:   true, FlagSign: true, FlagEncryptCommunications: true, FlagEncryptStorage: true,
		EmbeddedSignature: &packet.Signature{CreationTime: pub.CreationTime},
	}
	entity := &openpgp.Entity{
		PrimaryKey: primary,
		// gopenpgp signs only with entities that have an unlocked key here,
		// but then with the subkey.
		PrivateKey: private,
		Identities: map[string]*openpgp.Identity{"": {SelfSignature: judged, UserId: &packet.UserId{}}},
	}
	if primary != pub {
		entity.Subkeys = []openpgp.Subkey{{PublicKey: pub, PrivateKey: private, Sig: judged}}
	}
	key, err := crypto.NewKeyFromEntity(entity)
	if err != nil {
		return nil, fmt.Errorf("key %X: %w", pub.Fingerprint, err)
	}
	return crypto.NewKeyRing(key)
}

// Opener hands gopenpgp one unlocked secret key that is to open a session key.
// gopenpgp looks for those among subkeys only.
func Opener(private *packet.PrivateKey) (*crypto.KeyRing, error) {
	opens := &packet.Signature{FlagsValid: true, FlagEncryptCommunications: true, FlagEncryptStorage: true}
	key, err := crypto.NewKeyFromEntity(&openpgp.Entity{
		PrimaryKey: &private.PublicKey,
		Subkeys:    []openpgp.Subkey{{PublicKey: &private.PublicKey, PrivateKey: private, Sig: opens}},
	})
	if err != nil {
		return nil, fmt.Errorf("key %X: %w", private.Fingerprint, err)
	}
	return crypto.NewKeyRing(key)
}
