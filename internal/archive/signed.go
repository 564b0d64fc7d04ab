package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"napback/internal/cli"
)

// Signer makes detached signatures.
type Signer interface {
	Sign(data []byte) (signature []byte, err error)
}

// Verifier checks detached signatures. It names the key that has signed.
type Verifier interface {
	SignedBy(data, signature []byte) (key string, err error)
}

// Errors of runs that do not exist for who wants signed ones.
var (
	// ErrUntrusted: the run is not signed by one of the wanted keys.
	ErrUntrusted = errors.New("not signed by a wanted key")
	// ErrUnsigned: nobody has signed the run. It is also an ErrUntrusted.
	ErrUnsigned = fmt.Errorf("%w: it is not signed at all", ErrUntrusted)
)

// maxSignature bounds what is read of a signature.
const maxSignature = 64 << 10

// Trust is whose runs exist for a reader.
type Trust struct {
	Verifier Verifier
	// AcceptUnsigned lets runs exist that nobody has signed, as those from
	// before signing began. Runs that are signed wrongly never exist.
	AcceptUnsigned bool
}

// Trusting returns a view of a bucket in which manifests that t does not trust
// cannot be read: reading them is ErrUntrusted, and a run of that kind has the
// state Unsigned. A signature covers the manifest's bytes, and with them the
// name, the run, and through the sums every byte of the archive. What it
// cannot show is that a newer run has been removed.
func Trusting(st Store, t Trust) Store { return &trusting{Store: st, trust: t} }

type trusting struct {
	Store
	trust Trust
}

// trustOf returns whom the reader of st trusts; ok is false if anybody.
func trustOf(st Store) (t Trust, ok bool) {
	if v, is := st.(*trusting); is {
		return v.trust, true
	}
	return Trust{}, false
}

// Get reads an object. Of a manifest it returns only what is signed, or a
// claim, which commits nothing.
func (t *trusting) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if !strings.HasSuffix(key, ":"+manifestObject) {
		return t.Store.Get(ctx, key)
	}
	object, err := readSmall(ctx, t.Store, key, maxManifestRead)
	data, modified := object.data, object.modified
	if isIntegrity(err) {
		return nil, 0, distrust(key, modified, err) // no manifest that was ever signed
	}
	if err != nil {
		return nil, 0, err
	}
	m, invalid := DecodeManifest(data)
	body := &signedBody{Reader: bytes.NewReader(data), modified: modified}
	if !errors.Is(invalid, ErrClaimed) {
		if body.by, err = t.check(ctx, key, data); errors.Is(err, ErrUntrusted) {
			return nil, 0, distrust(key, modified, err)
		}
	}
	if err != nil {
		return nil, 0, err
	}
	if invalid == nil && manifestKey(m.Name, m.Run) != key {
		return nil, 0, distrust(key, modified, fmt.Errorf("it is the manifest of %q", m.Name+":"+string(m.Run)))
	}
	return body, int64(len(data)), nil
}

// check returns who has signed a manifest. Errors that do not wrap
// ErrUntrusted mean that this is not known.
func (t *trusting) check(ctx context.Context, key string, data []byte) (by string, err error) {
	signature, err := readSmall(ctx, t.Store, signatureOf(key), maxSignature)
	switch {
	case errors.Is(err, ErrNotExist) && t.trust.AcceptUnsigned:
		return "", nil
	case errors.Is(err, ErrNotExist):
		return "", ErrUnsigned
	case isIntegrity(err) || errors.Is(err, ErrPermission):
		return "", distrusted(err)
	case err != nil:
		return "", err
	}
	by, err = t.trust.Verifier.SignedBy(data, signature.data)
	return by, distrusted(err)
}

// distrusted makes an ErrUntrusted of the reason against a signature.
func distrusted(err error) error {
	if err == nil || errors.Is(err, ErrUntrusted) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUntrusted, err)
}

// distrust is the error for a manifest that was stored at modified.
func distrust(key string, modified time.Time, err error) error {
	return &untrusted{cli.WithCode(cli.Integrity, fmt.Errorf("read %q: %w", key, distrusted(err))), modified}
}

// signatureOf is the key of the signature of the manifest under a key.
func signatureOf(manifest string) string {
	return strings.TrimSuffix(manifest, manifestObject) + signatureObject
}

// signedBody is a manifest that may be read.
type signedBody struct {
	*bytes.Reader
	modified time.Time
	by       string
}

func (b *signedBody) Modified() time.Time { return b.modified }
func (b *signedBody) SignedBy() string    { return b.by }
func (b *signedBody) Close() error        { return nil }

// untrusted is an error about a manifest that tells when it was stored.
type untrusted struct {
	error
	modified time.Time
}

func (u *untrusted) Unwrap() error { return u.error }

// sign stores the signature of the manifest, which is not stored yet. Who
// reads with a Trust must accept it: else the run would not exist for them.
func (p *put) sign(ctx context.Context, manifest []byte) error {
	if p.Signer == nil {
		return nil
	}
	signature, err := p.Signer.Sign(manifest)
	if err != nil {
		return fmt.Errorf("commit %q: %w", p.address(), err)
	}
	if t, ok := trustOf(p.st); ok {
		if _, err := t.Verifier.SignedBy(manifest, signature); err != nil {
			return fmt.Errorf("commit %q: its own signature is not accepted: %w", p.address(), err)
		}
	}
	key := signatureOf(manifestKey(p.Name, p.run))
	err = p.st.Put(ctx, Upload{
		Key: key, Body: bytes.NewReader(signature), Size: int64(len(signature)), SHA256: sha256.Sum256(signature),
	})
	if p.signed = !errors.Is(err, ErrExist); p.signed && err != nil {
		p.cut = append(p.cut, key)
	}
	return err
}
