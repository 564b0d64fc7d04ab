package sign

import (
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// MaxSignature bounds a detached signature: one by RSA with 4096 bits takes
// 600 bytes.
const MaxSignature = 64 << 10

// maxSignatures bounds how many of them are looked at.
const maxSignatures = 16

// signature is one packet of a detached signature.
type signature struct {
	raw    []byte
	packet *packet.Signature
	unread error // why it was not understood
}

func (s signature) issuer() uint64 { return *s.packet.IssuerKeyId }

// readSignatures takes a detached signature apart.
func readSignatures(data []byte) ([]signature, error) {
	if len(data) > MaxSignature {
		return nil, fmt.Errorf("the signature is larger than %s", cli.FormatSize(MaxSignature))
	}
	var sigs []signature
	for {
		p, rest, err := pgpkey.Next(data)
		switch {
		case err == io.EOF && len(sigs) > 0:
			return sigs, nil
		case err == io.EOF:
			return nil, errors.New("the signature is empty")
		case err != nil:
			return nil, fmt.Errorf("the signature is damaged: %w", err)
		case p.Tag != pgpkey.TagSignature:
			return nil, errors.New("the signature is damaged: it holds something else")
		case len(sigs) == maxSignatures:
			return nil, fmt.Errorf("more than %d signatures", maxSignatures)
		}
		sigs = append(sigs, readSignature(p))
		data = rest
	}
}

func readSignature(p pgpkey.Packet) signature {
	parsed, err := p.Parse()
	sig, ok := parsed.(*packet.Signature)
	switch {
	case err != nil:
		return signature{unread: fmt.Errorf("the signature cannot be read: %w", err)}
	case !ok:
		return signature{unread: errors.New("the signature cannot be read")}
	case sig.IssuerKeyId == nil:
		return signature{unread: errors.New("the signature does not say by which key it is made")}
	}
	return signature{raw: p.Raw, packet: sig}
}
