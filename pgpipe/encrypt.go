package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// message is how a message is to be made. It is always AES-256, which every
// OpenPGP program in use reads, and never compressed.
type message struct {
	to      []*recipient
	signer  *openpgp.Entity // nil: unsigned
	armored bool
	now     time.Time
}

// encrypt writes one message with the content of src to dst. After an error
// what dst has got is not a whole message.
func (m *message) encrypt(dst io.Writer, src io.Reader) error {
	if !m.armored {
		return m.encryptBinary(dst, src)
	}
	buffered := bufio.NewWriterSize(dst, copyBuffer)
	encoder, err := armor.Encode(buffered, messageType, nil)
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
	session := make([]byte, packet.CipherAES256.KeySize())
	rand.Read(session) // never fails
	var head bytes.Buffer
	for _, r := range m.to {
		err := packet.SerializeEncryptedKeyAEAD(&head, r.subkey, packet.CipherAES256, false, session, nil)
		if err != nil {
			return fmt.Errorf("encrypt to key %X: %w", r.subkey.Fingerprint, err)
		}
	}
	if _, err := dst.Write(head.Bytes()); err != nil {
		return err
	}
	sealed, err := newSEIPDWriter(dst, session)
	if err != nil {
		return err
	}
	content, err := m.content(sealed)
	if err != nil {
		return err
	}
	if _, err := io.CopyBuffer(content, src, make([]byte, copyBuffer)); err != nil {
		return err
	}
	if err := content.Close(); err != nil {
		return err
	}
	return sealed.Close()
}

// content starts the literal data packet, between the packets of a signature
// if there is to be one: binary, without a file name or a date.
func (m *message) content(sealed io.Writer) (io.WriteCloser, error) {
	if m.signer == nil {
		return packet.SerializeLiteral(keepOpen{sealed}, true, "", 0)
	}
	return openpgp.SignWithParams(sealed, []*openpgp.Entity{m.signer}, &openpgp.SignParams{Config: pgpConfig(m.now)})
}

// keepOpen leaves closing to the caller.
type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
