package sign

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
	"napback/internal/trust"
)

// Verifier accepts signatures by any of its keys.
type Verifier struct {
	keys    []*verifyKey
	refused []refusal
	size    int // of the keys in their files
}

// refusal is a key that verifies nothing, and why.
type refusal struct {
	entity *openpgp.Entity
	reason error
}

// OpenVerifier reads the keys in the files at paths: exported public keys, any
// number of them. A key that cannot be read is an error, and so is a file
// without any key that can verify.
func OpenVerifier(paths ...string) (*Verifier, error) {
	v := &Verifier{}
	for _, path := range paths {
		data, err := trust.Read("read", path, pgpkey.MaxKeyFile)
		if err != nil {
			return nil, err
		}
		blocks, err := pgpkey.Blocks(data)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", path, err)
		}
		if err := v.addFile(path, blocks); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// NewVerifier is OpenVerifier for the packets that the file at path holds.
func NewVerifier(path string, blocks [][]byte) (*Verifier, error) {
	v := &Verifier{}
	return v, v.addFile(path, blocks)
}

func (v *Verifier) addFile(path string, blocks [][]byte) error {
	before, refused := len(v.keys), len(v.refused)
	for _, block := range blocks {
		keys, err := pgpkey.Split(block)
		if err != nil {
			return fmt.Errorf("read %q: damaged: %w", path, err)
		}
		for _, k := range keys {
			if err := v.addKey(k); err != nil {
				return fmt.Errorf("read %q: key %s cannot be read: %w", path, k.Describe(), err)
			}
		}
	}
	usable := len(v.keys) > before
	if v.dropRevoked(); usable && len(v.keys) > 0 {
		return nil
	}
	var reasons []string
	for _, r := range v.refused[refused:] {
		reasons = append(reasons, fmt.Sprintf("key %s %v", fingerprint(r.entity.PrimaryKey), r.reason))
	}
	if len(reasons) == 0 {
		return fmt.Errorf("read %q: holds no OpenPGP keys", path)
	}
	return fmt.Errorf("read %q: none of its keys can verify: %s", path, strings.Join(reasons, "; "))
}

// maxKeys bounds the keys to verify with, in bytes.
const maxKeys = 2 << 20

func (v *Verifier) addKey(k pgpkey.Key) error {
	own, err := k.Own()
	if err != nil {
		return err
	}
	if v.size += len(own); v.size > maxKeys {
		return fmt.Errorf("more than %s of keys to verify with", cli.FormatSize(maxKeys))
	}
	entity, err := pgpkey.ParseOwn(own)
	if err != nil {
		return err
	}
	v.add(entity)
	return nil
}

// add takes the keys of an entity that may sign, or notes why there are none.
func (v *Verifier) add(entity *openpgp.Entity) {
	keys, err := signingKeys(entity)
	if err != nil {
		v.refused = append(v.refused, refusal{entity, err})
	}
	v.keys = append(v.keys, keys...)
}

// Verify returns nil if signature holds a valid signature of data by one of
// the keys.
func (v *Verifier) Verify(data, signature []byte) error {
	_, err := v.SignedBy(data, signature)
	return err
}

// SignedBy is Verify that also names the key: the fingerprint of the primary
// key, in upper-case hexadecimal digits.
func (v *Verifier) SignedBy(data, signature []byte) (string, error) {
	sigs, err := readSignatures(signature)
	if err != nil {
		return "", err
	}
	var errs []error
	for _, s := range sigs {
		print, err := v.signedBy(data, s)
		if err == nil {
			return print, nil
		}
		errs = append(errs, err)
	}
	return "", joined(errs)
}

// joined makes one line of the reasons against several signatures.
func joined(errs []error) error {
	var reasons []string
	for _, err := range errs {
		reasons = append(reasons, err.Error())
	}
	return errors.New(strings.Join(reasons, "; "))
}

func (v *Verifier) signedBy(data []byte, s signature) (string, error) {
	if s.unread != nil {
		return "", s.unread
	}
	err := v.unknown(s.issuer())
	for _, k := range v.keys {
		if k.pub.KeyId != s.issuer() {
			continue
		}
		if err = k.verify(data, s); err == nil {
			return k.fingerprint(), nil
		}
	}
	return "", err
}

// unknown says why no key with that id is asked.
func (v *Verifier) unknown(issuer uint64) error {
	for _, r := range v.refused {
		if hasKeyID(r.entity, issuer) {
			return fmt.Errorf("it is signed by key %s, which %w", fingerprint(r.entity.PrimaryKey), r.reason)
		}
	}
	var known []string
	for _, k := range v.keys {
		if print := k.fingerprint(); !slices.Contains(known, print) {
			known = append(known, print)
		}
	}
	return cli.WithHint(fmt.Errorf("it is signed by key %016X, which is none of those that are wanted", issuer),
		"the wanted keys are %s", strings.Join(known, ", "))
}
