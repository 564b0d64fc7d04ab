package main

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"testing"

	"github.com/ProtonMail/go-crypto/ocb"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// smallMessages are messages to a key, small enough to try something with
// every byte of them.
func smallMessages(t *testing.T, k testKey) map[string][]byte {
	t.Helper()
	g, _ := commonKeys()
	plain := []byte(smallSecret)
	return map[string][]byte{
		"pgpipe":           mustPgpipe(t, plain, "-R", k.public),
		"pgpipe, signed":   mustPgpipe(t, plain, "-R", k.public, "--sign", k.secret),
		"gpg":              g.GPG(t, plain, "-e", "-r", k.fingerprint),
		"gpg, no zlib":     g.GPG(t, plain, "-z", "0", "-e", "-r", k.fingerprint),
		"gpg, CAST5":       g.GPG(t, plain, "--cipher-algo", "CAST5", "-e", "-r", k.fingerprint),
		"library, SEIPDv2": aeadMessage(t, k, plain),
		"gpg 2.4, OCB":     ocbMessage(t, k, plain),
	}
}

// ocbMessage is a message as GnuPG 2.4 writes it to keys that prefer OCB: an
// AEAD encrypted data packet (tag 20) of draft-koch-openpgp-2015-rfc4880bis,
// section 5.16, with one chunk.
func ocbMessage(t *testing.T, k testKey, plain []byte) []byte {
	t.Helper()
	keys, err := readKeyFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	var out, inside bytes.Buffer
	session, nonce := randomBytes(32), randomBytes(15)
	if err := packet.SerializeEncryptedKeyAEAD(&out, mustEntity(t, keys[0]).Subkeys[0].PublicKey, packet.CipherAES256, false, session, nil); err != nil {
		t.Fatal(err)
	}
	literal, err := packet.SerializeLiteral(keepOpen{&inside}, true, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	literal.Write(plain)
	literal.Close()
	block, err := aes.NewCipher(session)
	if err != nil {
		t.Fatal(err)
	}
	mode, err := ocb.NewOCB(block)
	if err != nil {
		t.Fatal(err)
	}
	const version, aes256, ocbMode, chunkSize = 1, 9, 2, 16
	start := []byte{version, aes256, ocbMode, chunkSize}
	sealChunk := func(index byte, content, more []byte) []byte {
		n := bytes.Clone(nonce)
		n[len(n)-1] ^= index
		data := append([]byte{0xC0 | 20}, start...)
		data = append(data, 0, 0, 0, 0, 0, 0, 0, index)
		return mode.Seal(nil, n, content, append(data, more...))
	}
	body := append(bytes.Clone(start), nonce...)
	body = append(body, sealChunk(0, inside.Bytes(), nil)...)
	body = append(body, sealChunk(1, nil, binary.BigEndian.AppendUint64(nil, uint64(inside.Len())))...)
	out.WriteByte(0xC0 | 20)
	out.Write(definiteLength(len(body)))
	out.Write(body)
	return out.Bytes()
}

// aeadMessage is a message as RFC 9580 has it: SEIPD version 2, which gpg 2.2
// does not know.
func aeadMessage(t *testing.T, k testKey, plain []byte) []byte {
	t.Helper()
	keys, err := readKeyFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	to := mustEntity(t, keys[0]).Subkeys[0].PublicKey
	var out bytes.Buffer
	session := randomBytes(32)
	config := &packet.Config{AEADConfig: &packet.AEADConfig{}}
	if err := packet.SerializeEncryptedKeyAEAD(&out, to, packet.CipherAES256, true, session, config); err != nil {
		t.Fatal(err)
	}
	suite := packet.CipherSuite{Cipher: packet.CipherAES256, Mode: packet.AEADModeOCB}
	sealed, err := packet.SerializeSymmetricallyEncrypted(&out, packet.CipherAES256, true, suite, session, config)
	if err != nil {
		t.Fatal(err)
	}
	literal, err := packet.SerializeLiteral(sealed, true, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	literal.Write(plain)
	if err := literal.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
