package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/armor"
	"github.com/ProtonMail/gopenpgp/v2/crypto"

	"napback/internal/sign"
	"napback/internal/sign/pgpkey"
)

// message is how a message is to be made. It is always AES-256, which every
// OpenPGP program in use reads, and never compressed.
type message struct {
	to      []*recipient
	signer  *sign.Signer // nil: unsigned
	armored bool
}

// encrypt writes one message with the content of src to dst. After an error
// what dst has got is not a whole message.
func (m *message) encrypt(dst io.Writer, src io.Reader) error {
	if !m.armored {
		return m.encryptBinary(dst, src)
	}
	buffered := bufio.NewWriterSize(dst, copyBuffer)
	encoder, err := armor.ArmorWithTypeBuffered(buffered, messageType)
	if err != nil {
		return err
	}
	if err := m.encryptBinary(encoder, src); err != nil {
		return err
	}
	if err := encoder.Close(); err != nil {
		return err
	}
	if err := buffered.WriteByte('\n'); err != nil {
		return err
	}
	return buffered.Flush()
}

func (m *message) encryptBinary(dst io.Writer, src io.Reader) error {
	session, err := crypto.GenerateSessionKey() // for AES-256
	if err != nil {
		return err
	}
	var head []byte
	for _, r := range m.to {
		ring, err := pgpkey.Ring(r.primary, r.subkey, nil)
		if err != nil {
			return err
		}
		sealed, err := ring.EncryptSessionKey(session)
		if err != nil {
			return fmt.Errorf("encrypt to key %X: %w", r.subkey.Fingerprint, err)
		}
		head = append(head, sealed...)
	}
	if _, err := dst.Write(head); err != nil {
		return err
	}
	sealed, err := newSEIPDWriter(dst, session.Key)
	if err != nil {
		return err
	}
	content, err := m.content(sealed)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(content, src, make([]byte, copyBuffer)); err != nil {
		content.Abort(err)
		return err
	}
	if err := content.Close(); err != nil {
		return err
	}
	return sealed.Close()
}

// contentWriter takes the content of a message. Close ends the packets around
// it, Abort gives it up.
type contentWriter interface {
	io.WriteCloser
	Abort(error)
}

// content starts the literal data packet, between the packets of a signature
// if there is to be one: binary, without a file name or a date.
func (m *message) content(sealed io.Writer) (contentWriter, error) {
	if m.signer != nil {
		return newSignedContent(sealed, m.signer)
	}
	return newLiteral(sealed)
}

// literal is a literal data packet.
type literal struct{ io.WriteCloser }

func newLiteral(w io.Writer) (literal, error) {
	l, err := packet.SerializeLiteral(keepOpen{w}, true, "", 0)
	return literal{l}, err
}

func (literal) Abort(error) {}

// keepOpen leaves closing to the caller.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
