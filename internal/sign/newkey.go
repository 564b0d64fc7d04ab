package sign

import (
	"fmt"
	"strings"

	"github.com/ProtonMail/gopenpgp/v2/crypto"
)

// NewPair is a key pair that was made just now: a primary key that signs (Ed25519) and
// a subkey that encrypts (X25519), which never expire. Both parts are armored.
type NewPair struct {
	Public, Secret []byte
	Fingerprint    string // of the primary key, in hex digits
}

// NewKey makes a key pair for a user id. A passphrase, if any, locks its secret part.
func NewKey(name, email string, passphrase []byte) (NewPair, error) {
	key, err := crypto.GenerateKey(name, email, "x25519", 0)
	if err != nil {
		return NewPair{}, err
	}
	defer key.ClearPrivateParams()
	public, err := key.GetArmoredPublicKey()
	if err != nil {
		return NewPair{}, err
	}
	kept := key
	if len(passphrase) > 0 {
		if kept, err = key.Lock(passphrase); err != nil {
			return NewPair{}, fmt.Errorf("lock the secret key: %w", err)
		}
	}
	secret, err := kept.Armor()
	if err != nil {
		return NewPair{}, err
	}
	return NewPair{[]byte(public + "\n"), []byte(secret + "\n"), strings.ToUpper(key.GetFingerprint())}, nil
}
