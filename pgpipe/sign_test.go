package main

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
)

func TestSignaturesThatPgpipeMakesAreGoodForGPG(t *testing.T) {
	g, keys := commonKeys()
	for _, k := range keys {
		sealed := mustPgpipe(t, []byte("hello"), "-R", keys[2].public, "--sign", k.secret)
		_, diag, err := g.Try(sealed, "-d")
		if err != nil || !strings.Contains(diag, "Good signature from \""+k.userID) {
			t.Errorf("%s: %v\n%s", k.name, err, diag)
		}
		if got := mustPgpipe(t, sealed, "-d", "-k", keys[2].secret, "--verify", k.public); string(got) != "hello" {
			t.Errorf("%s: got %q", k.name, got)
		}
	}
}

func TestVerifyWantsASignatureByAWantedKey(t *testing.T) {
	g, keys := commonKeys()
	k, other := keys[2], keys[0]
	wanted := []string{"-d", "-k", k.secret, "--verify", k.public}
	for _, message := range [][]byte{
		mustPgpipe(t, []byte("x"), "-R", k.public, "--sign", k.secret),
		g.GPG(t, []byte("x"), "-e", "-r", k.fingerprint, "-s", "-u", k.fingerprint),
		g.GPG(t, []byte("x"), "-e", "-r", k.fingerprint, "-s", "-u", other.fingerprint, "-u", k.fingerprint),
	} {
		mustPgpipe(t, message, wanted...)
	}
	for name, message := range map[string][]byte{
		"unsigned":       mustPgpipe(t, []byte("x"), "-R", k.public),
		"by another":     mustPgpipe(t, []byte("x"), "-R", k.public, "--sign", other.secret),
		"gpg, another":   g.GPG(t, []byte("x"), "-e", "-r", k.fingerprint, "-s", "-u", other.fingerprint),
		"SHA-1":          g.GPG(t, []byte("x"), "-e", "-r", k.fingerprint, "-s", "-u", k.fingerprint, "--digest-algo", "SHA1"),
		"another's text": movedSignature(t, k),
		"for another":    signedForOthers(t, k, other),
	} {
		r := pgpipe(t, bytes.NewReader(message), wanted...)
		if r.status != cli.Integrity {
			t.Errorf("%s: status %d, %s", name, r.status, r.stderr)
		}
		mustPgpipe(t, message, "-d", "-k", k.secret) // else it is good
	}
}

// wrap encrypts packets to k as they are.
func wrap(t *testing.T, k testKey, packets []byte) []byte {
	t.Helper()
	ring, err := readKeyFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	session := randomBytes(32)
	if err := packet.SerializeEncryptedKeyAEAD(&out, mustEntity(t, ring[0]).Subkeys[0].PublicKey, packet.CipherAES256, false, session, nil); err != nil {
		t.Fatal(err)
	}
	sealed, err := newSEIPDWriter(&out, session)
	if err != nil {
		t.Fatal(err)
	}
	sealed.Write(packets)
	if err := sealed.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// movedSignature is a message in which k's signature of one text stands
// around another.
func movedSignature(t *testing.T, k testKey) []byte {
	t.Helper()
	g, _ := commonKeys()
	signed := g.GPG(t, []byte("pay 1"), "-z", "0", "-s", "-u", k.fingerprint)
	if !bytes.Contains(signed, []byte("pay 1")) {
		t.Fatal("the text is not in the message")
	}
	return wrap(t, k, bytes.Replace(signed, []byte("pay 1"), []byte("pay 9"), 1))
}

// signedForOthers is a message to k with a signature by k that was made for a
// message to another recipient, as RFC 9580's intended recipients tell.
func signedForOthers(t *testing.T, k, other testKey) []byte {
	t.Helper()
	secret, err := readKeyFile(k.secret)
	if err != nil {
		t.Fatal(err)
	}
	to, err := readKeyFile(other.public)
	if err != nil {
		t.Fatal(err)
	}
	var message bytes.Buffer
	config := &packet.Config{DefaultCipher: packet.CipherAES256}
	w, err := openpgp.Encrypt(&message, []*openpgp.Entity{mustEntity(t, to[0])}, nil, []*openpgp.Entity{mustEntity(t, secret[0])}, nil, config)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "x")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// The other recipient passes it on.
	keys, err := readSecretKeys(other.secret)
	if err != nil {
		t.Fatal(err)
	}
	d := decrypter{secrets: keys}
	h, err := readHead(bufio.NewReader(&message))
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := d.sessionKey(h)
	if err != nil {
		t.Fatal(err)
	}
	body, err := openBody(h.sealed, session)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return wrap(t, k, packets)
}
