package main

import (
	"bytes"
	stdcrypto "crypto"
	"errors"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/sign"
	"napback/internal/sign/pgpkey"
	"napback/internal/trust"
)

// signedContent writes content between the packets of a one-pass signature
// (RFC 9580, section 10.3). gopenpgp signs a stream only while it encrypts it,
// too, or apart from it; it is given a second copy of the stream, and the
// packets around the signature are made here.
type signedContent struct {
	sealed io.Writer
	literal
	copied *io.PipeWriter
	signed chan signedStream
}

type signedStream struct {
	signature []byte
	err       error
}

// signatureHash is what gopenpgp signs with. It has to be announced before
// the content.
const signatureHash = stdcrypto.SHA512

func newSignedContent(sealed io.Writer, signer *sign.Signer) (*signedContent, error) {
	announced := &packet.OnePassSignature{
		Version:    3,
		SigType:    packet.SigTypeBinary,
		Hash:       signatureHash,
		PubKeyAlgo: signer.Key().PubKeyAlgo,
		KeyId:      signer.Key().KeyId,
		IsLast:     true,
	}
	if err := announced.Serialize(sealed); err != nil {
		return nil, err
	}
	l, err := newLiteral(sealed)
	if err != nil {
		return nil, err
	}
	in, out := io.Pipe()
	s := &signedContent{sealed: sealed, literal: l, copied: out, signed: make(chan signedStream, 1)}
	go func() {
		signature, err := signer.SignStream(in)
		in.CloseWithError(err)
		s.signed <- signedStream{signature, err}
	}()
	return s, nil
}

func (s *signedContent) Write(p []byte) (int, error) {
	if _, err := s.copied.Write(p); err != nil {
		return 0, err
	}
	return s.literal.Write(p)
}

func (s *signedContent) Close() error {
	s.copied.Close()
	signed := <-s.signed
	if signed.err != nil {
		return signed.err
	}
	p, err := packet.Read(bytes.NewReader(signed.signature))
	if err != nil {
		return err
	}
	if sig, ok := p.(*packet.Signature); !ok || sig.Hash != signatureHash {
		return errors.New("sign: the signature is not as announced")
	}
	if err := s.literal.Close(); err != nil {
		return err
	}
	_, err = s.sealed.Write(signed.signature)
	return err
}

// Abort ends the signing of what has been written.
func (s *signedContent) Abort(err error) {
	s.copied.CloseWithError(err)
	<-s.signed
}

// openVerifier reads the keys in the file at path, for --verify.
func openVerifier(path string) (*sign.Verifier, error) {
	data, err := trust.Read("read", path, pgpkey.MaxKeyring)
	if err != nil {
		return nil, err
	}
	blocks, err := keyBlocks(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return sign.NewVerifier(path, blocks)
}
