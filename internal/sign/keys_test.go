package sign

import (
	"bytes"
	stdcrypto "crypto"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/sign/pgpkey"
)

const (
	created = "--faked-system-time=20250101T000000!"
	early   = "--faked-system-time=20250201T000000!"
	late    = "--faked-system-time=20250601T000000!"
)

// TestAKeyThatHasExpiredSinceVerifies, and one that had expired before does
// not. What the clock of the verifier says plays no part.
func TestAKeyThatHasExpiredSinceVerifies(t *testing.T) {
	for name, subkey := range map[string]bool{"primary": false, "subkey": true} {
		t.Run(name, func(t *testing.T) {
			g := newHome(t)
			print := expiring(g, subkey)
			whileValid := g.sign(manifest, print, early)
			// It would not sign later; so it lives for ever while it signs.
			setExpiry(g, print, subkey, "never")
			afterwards := g.sign(manifest, print, late)
			if err := mustVerifier(t, g.public(print)).Verify(manifest, afterwards); err != nil {
				t.Errorf("before it expires: %v", err)
			}
			setExpiry(g, print, subkey, "90d")
			v := mustVerifier(t, g.public(print))
			if err := v.Verify(manifest, whileValid); err != nil {
				t.Errorf("made while the key was valid: %v", err)
			}
			if err := v.Verify(manifest, afterwards); err == nil || !strings.Contains(err.Error(), "after the key had expired on 2025-04-0") {
				t.Errorf("made after it had expired: %v", err)
			}
			if _, err := OpenSigner(g.secret(print), PassphraseFile("")); err == nil {
				t.Error("an expired key signs")
			}
		})
	}
}

func expiring(g *gnupg, subkey bool) string {
	if !subkey {
		return g.generate("e", "ed25519", "sign,cert", "90d", created)
	}
	print := g.generate("e", "ed25519", "cert", "never", created)
	g.gpg(nil, created, "--passphrase", "", "--quick-add-key", print, "ed25519", "sign", "90d")
	return print
}

func setExpiry(g *gnupg, print string, subkey bool, expire string) {
	g.t.Helper()
	args := []string{created, "--quick-set-expire", print, expire}
	if subkey {
		args = append(args, "*")
	}
	// A self-signature of the same second would not be known as the newer one.
	g.seconds++
	args[0] = "--faked-system-time=" + time.Date(2025, 1, 1, 0, 0, g.seconds, 0, time.UTC).Format("20060102T150405") + "!"
	g.gpg(nil, args...)
}

func TestTheVerifiersClockPlaysNoPart(t *testing.T) {
	g := newHome(t)
	print := g.generate("a", "ed25519", "sign,cert", "never", created)
	v := mustVerifier(t, g.public(print))
	for _, when := range []string{early, "--faked-system-time=21000101T000000!"} {
		if err := v.Verify(manifest, g.sign(manifest, print, when)); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}

func TestASignatureOlderThanItsKeyIsRefused(t *testing.T) {
	g := newHome(t)
	print := g.generate("a", "ed25519", "sign,cert", "never", created)
	signature := g.sign(manifest, print, "--ignore-time-conflict", "--ignore-valid-from", "--faked-system-time=20241231T000000!")
	err := mustVerifier(t, g.public(print)).Verify(manifest, signature)
	if err == nil || !strings.Contains(err.Error(), "older than the key") {
		t.Errorf("got %v", err)
	}
}

// entityOf reads the one key in a file.
func entityOf(t *testing.T, path string) *openpgp.Entity {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	e, err := openpgp.ReadEntity(packet.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// publicFile writes a key into a file.
func publicFile(t *testing.T, g *gnupg, e *openpgp.Entity) string {
	t.Helper()
	var out bytes.Buffer
	if err := e.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return g.file(out.Bytes())
}

// TestARevokedKeyNeverVerifies, whatever the reason, and if the revocation is
// later than the signature.
func TestARevokedKeyNeverVerifies(t *testing.T) {
	g := newHome(t)
	print := g.generate("r", "ed25519", "sign,cert", "never", created)
	g.gpg(nil, created, "--passphrase", "", "--quick-add-key", print, "ed25519", "sign", "never")
	sub := g.Prints(g.t, print)[1]
	bySub, byPrimary := g.sign(manifest, sub+"!", early), g.sign(manifest, print+"!", early)
	whole := g.public(print)
	for _, signature := range [][]byte{bySub, byPrimary} {
		if err := mustVerifier(t, whole).Verify(manifest, signature); err != nil {
			t.Fatal(err)
		}
	}
	future := &packet.Config{Time: func() time.Time { return time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC) }}
	for name, reason := range map[string]packet.ReasonForRevocation{
		"no reason": packet.NoReason, "superseded": packet.KeySuperseded, "compromised": packet.KeyCompromised, "retired": packet.KeyRetired,
	} {
		for when, config := range map[string]*packet.Config{"now": nil, "2099": future} {
			e := entityOf(t, g.secret(print))
			if err := e.Revoke(reason, "", config); err != nil {
				t.Fatal(err)
			}
			revoked := publicFile(t, g, e)
			if _, err := OpenVerifier(revoked); err == nil || !strings.Contains(err.Error(), "was revoked on") {
				t.Errorf("%s, %s: %v", name, when, err)
			}
			// With the copy from before, the revocation counts as well; with
			// another key beside it the verifier is good for that.
			other := g.generate(strings.ReplaceAll(name+when, " ", ""), "ed25519", "sign,cert", "never")
			v := mustVerifier(t, g.public(other), g.file(append(read(t, whole), append(read(t, revoked), read(t, g.public(other))...)...)))
			for _, signature := range [][]byte{bySub, byPrimary} {
				if err := v.Verify(manifest, signature); err == nil || !strings.Contains(err.Error(), "was revoked on") {
					t.Errorf("%s, %s, a copy from before: %v", name, when, err)
				}
			}
			e = entityOf(t, g.secret(print))
			if err := e.Subkeys[0].Revoke(reason, "", config); err != nil {
				t.Fatal(err)
			}
			v = mustVerifier(t, publicFile(t, g, e))
			if err := v.Verify(manifest, bySub); err == nil {
				t.Errorf("%s, %s: the revoked subkey verifies", name, when)
			}
			if err := v.Verify(manifest, byPrimary); err != nil {
				t.Errorf("%s, %s: beside a revoked subkey: %v", name, when, err)
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestAKeyThatGPGRevokedNeitherSignsNorVerifies(t *testing.T) {
	g := newHome(t)
	print := g.generate("r", "ed25519", "sign,cert", "never")
	revocation, err := os.ReadFile(g.Dir + "/openpgp-revocs.d/" + print + ".rev")
	if err != nil {
		t.Fatal(err)
	}
	g.gpg(bytes.Replace(revocation, []byte("\n:-----BEGIN"), []byte("\n-----BEGIN"), 1), "--import")
	if _, err := OpenVerifier(g.public(print)); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("verify: %v", err)
	}
	if _, err := OpenSigner(g.secret(print), PassphraseFile("")); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("sign: %v", err)
	}
}

func TestKeysThatMayNotSign(t *testing.T) {
	g := newHome(t)
	certOnly := g.generate("c", "ed25519", "cert", "never")
	g.gpg(nil, "--passphrase", "", "--quick-add-key", certOnly, "cv25519", "encr", "never")
	dsa := g.generate("d", "dsa2048", "sign,cert", "never")
	short := g.generate("s", "rsa1024", "sign,cert", "never")
	for print, want := range map[string]string{certOnly: "may not sign", dsa: "dsa2048", short: "1024 bits"} {
		if _, err := OpenVerifier(g.public(print)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("verify: got %v, want %q", err, want)
		}
		if _, err := OpenSigner(g.secret(print), PassphraseFile("")); err == nil {
			t.Errorf("a key signs that should not: want %q", want)
		}
	}
}

// TestASubkeyThatDoesNotCertifyItsPrimaryKeyIsRefused: anybody can put
// somebody's signing subkey under his own key.
func TestASubkeyThatDoesNotCertifyItsPrimaryKeyIsRefused(t *testing.T) {
	g := newHome(t)
	victim := g.generate("v", "ed25519", "cert", "never")
	g.gpg(nil, "--passphrase", "", "--quick-add-key", victim, "ed25519", "sign", "never")
	signature := g.sign(manifest, victim)
	thief := entityOf(t, g.secret(g.generate("t", "ed25519", "sign,cert", "never")))
	stolen := entityOf(t, g.public(victim)).Subkeys[0]
	// The binding by the thief, with the victim's own certification of the
	// victim's primary key, or with none.
	for name, embedded := range map[string]*packet.Signature{"none": nil, "of another": stolen.Bindings[0].Packet.EmbeddedSignature} {
		binding := &packet.Signature{
			Version: 4, SigType: packet.SigTypeSubkeyBinding, PubKeyAlgo: thief.PrimaryKey.PubKeyAlgo, Hash: stdcrypto.SHA256,
			CreationTime: time.Now(), IssuerKeyId: &thief.PrimaryKey.KeyId, FlagsValid: true, FlagSign: true, EmbeddedSignature: embedded,
		}
		if err := binding.SignKey(stolen.PublicKey, thief.PrivateKey, nil); err != nil {
			t.Fatal(err)
		}
		e := entityOf(t, publicFile(t, g, thief))
		e.Subkeys = []openpgp.Subkey{{Primary: e, PublicKey: stolen.PublicKey, Bindings: []*packet.VerifiableSignature{packet.NewVerifiableSig(binding)}}}
		if err := mustVerifier(t, publicFile(t, g, e)).Verify(manifest, signature); err == nil {
			t.Errorf("%s: the thief is taken for who signed", name)
		}
	}
	if err := mustVerifier(t, g.public(victim)).Verify(manifest, signature); err != nil {
		t.Error(err)
	}
}

func TestManyKeysToVerifyWithAreBounded(t *testing.T) {
	g := newHome(t)
	one := g.gpg(nil, "--export", g.generate("a", "ed25519", "sign,cert", "never"))
	many := g.file(bytes.Repeat(one, maxKeys/len(one)+1))
	if _, err := OpenVerifier(many); err == nil || !strings.Contains(err.Error(), "of keys to verify with") {
		t.Errorf("got %v", err)
	}
	keys, err := pgpkey.Split(one)
	if err != nil || len(keys) != 1 {
		t.Fatal(err)
	}
}
