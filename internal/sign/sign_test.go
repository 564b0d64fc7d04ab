package sign

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
)

var manifest = []byte("{\n  \"format\": \"napback-archive/1\",\n  \"name\": \"home\"\n}\n")

func TestGPGAndWeAcceptEachOthersSignatures(t *testing.T) {
	for name, make := range map[string]func(g *gnupg) string{
		"ed25519":  func(g *gnupg) string { return g.generate("a", "ed25519", "sign,cert", "1y") },
		"rsa3072":  func(g *gnupg) string { return g.generate("a", "rsa3072", "sign,cert", "never") },
		"nistp256": func(g *gnupg) string { return g.generate("a", "nistp256", "sign,cert", "never") },
		"nistp521": func(g *gnupg) string { return g.generate("a", "nistp521", "sign,cert", "never") },
		"signing subkey": func(g *gnupg) string {
			print := g.generate("a", "ed25519", "cert", "never")
			g.gpg(nil, "--passphrase", "", "--quick-add-key", print, "rsa3072", "sign", "1y")
			return print
		},
		"primary and subkey": func(g *gnupg) string {
			print := g.generate("a", "ed25519", "sign,cert", "never")
			g.gpg(nil, "--passphrase", "", "--quick-add-key", print, "ed25519", "sign", "1y")
			return print
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newHome(t)
			print := make(g)
			s := mustSigner(t, g.secret(print))
			if s.Fingerprint() != print {
				t.Errorf("signs with %s, want %s", s.Fingerprint(), print)
			}
			v := mustVerifier(t, g.public(print))
			if err := s.CheckWith(v); err != nil {
				t.Error(err)
			}
			ours, err := s.Sign(manifest)
			if err != nil {
				t.Fatal(err)
			}
			if _, diag, err := g.Try(nil, "--verify", g.file(ours), g.file(manifest)); err != nil || !strings.Contains(diag, "Good signature") {
				t.Errorf("gpg --verify: %v\n%s", err, diag)
			}
			streamed, err := s.SignStream(bytes.NewReader(manifest))
			if err != nil {
				t.Fatal(err)
			}
			for from, signature := range map[string][]byte{"us": ours, "us, as a stream": streamed, "gpg": g.sign(manifest, print)} {
				if by, err := v.SignedBy(manifest, signature); err != nil || by != print {
					t.Errorf("signed by %s: %q, %v", from, by, err)
				}
			}
		})
	}
}

func TestOneValidSignatureOfSeveralSuffices(t *testing.T) {
	g := newHome(t)
	wanted, other := g.generate("wanted", "ed25519", "sign,cert", "never"), g.generate("other", "ed25519", "sign,cert", "never")
	v := mustVerifier(t, g.public(wanted))
	good, foreign := g.sign(manifest, wanted), g.sign(manifest, other)
	weak := g.sign(manifest, wanted, "--digest-algo", "SHA1")
	for name, signature := range map[string][]byte{
		"other, wanted":   append(bytes.Clone(foreign), good...),
		"wanted, other":   append(bytes.Clone(good), foreign...),
		"weak, wanted":    append(bytes.Clone(weak), good...),
		"unread, wanted":  append([]byte{0xC2, 1, 3}, good...),
		"of other, right": append(g.sign([]byte("else"), wanted), good...),
	} {
		if by, err := v.SignedBy(manifest, signature); err != nil || by != wanted {
			t.Errorf("%s: %q, %v", name, by, err)
		}
	}
	both := mustVerifier(t, g.public(other), g.public(wanted))
	if by, err := both.SignedBy(manifest, good); err != nil || by != wanted {
		t.Errorf("two keys: %q, %v", by, err)
	}
	if err := v.Verify(manifest, append(bytes.Clone(foreign), foreign...)); err == nil {
		t.Error("two signatures by another key are accepted")
	}
}

func TestSignaturesThatDoNotCount(t *testing.T) {
	g := newHome(t)
	print, other := g.generate("wanted", "ed25519", "sign,cert", "never"), g.generate("other", "ed25519", "sign,cert", "never")
	v := mustVerifier(t, g.public(print))
	good := g.sign(manifest, print)
	for name, c := range map[string]struct {
		signature []byte
		want      string
	}{
		"none":            {nil, "empty"},
		"other key":       {g.sign(manifest, other), "none of those that are wanted"},
		"other bytes":     {g.sign([]byte("else"), print), "does not match"},
		"SHA-1":           {g.sign(manifest, print, "--digest-algo", "SHA1"), "weak hash"},
		"text":            {g.sign(manifest, print, "--textmode"), "binary"},
		"expiring":        {g.sign(manifest, print, "--default-sig-expire", "1y"), "made to expire"},
		"unknown note":    {g.sign(manifest, print, "--sig-notation", "!a@example.org=b"), "does not match"},
		"armored":         {g.sign(manifest, print, "-a"), "damaged"},
		"cut":             {good[:len(good)-1], "damaged"},
		"a key":           {g.gpg(nil, "--export", print), "something else"},
		"data inside":     {g.gpg(manifest, "-u", print, "-z", "0", "--sign"), "damaged"},
		"zeros":           {make([]byte, 100), "damaged"},
		"large":           {append(bytes.Clone(good), make([]byte, MaxSignature)...), "larger than"},
		"many":            {bytes.Repeat(g.sign(manifest, other), maxSignatures+1), "more than"},
		"partial lengths": {[]byte{0xC2, 0xE1, 1, 2}, "no length"},
	} {
		err := v.Verify(manifest, c.signature)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestEveryFlippedByteIsNoticed flips each bit of a signature, and each byte of
// what it signs. Only how many bits a number has may differ, which nobody reads
// where it makes the same number of bytes.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	g := newHome(t)
	print := g.generate("a", "ed25519", "sign,cert", "never")
	v := mustVerifier(t, g.public(print))
	signature, err := mustSigner(t, g.secret(print)).Sign(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for i := range signature {
		for bit := range 8 {
			bad := bytes.Clone(signature)
			bad[i] ^= 1 << bit
			if v.Verify(manifest, bad) == nil && !sameSignature(t, bad, signature) {
				t.Errorf("byte %d of %d, bit %d of the signature", i, len(signature), bit)
			}
		}
	}
	for i := range manifest {
		bad := bytes.Clone(manifest)
		bad[i] ^= 1
		if v.Verify(bad, signature) == nil {
			t.Errorf("byte %d of the data", i)
		}
	}
	if v.Verify(append(bytes.Clone(manifest), '\n'), signature) == nil || v.Verify(bytes.TrimSpace(manifest), signature) == nil {
		t.Error("white space at the end")
	}
	if v.Verify(bytes.ReplaceAll(manifest, []byte("\n"), []byte("\r\n")), signature) == nil {
		t.Error("other line ends")
	}
}

func sameSignature(t *testing.T, a, b []byte) bool {
	t.Helper()
	var parsed [2]*packet.Signature
	for i, data := range [][]byte{a, b} {
		sigs, err := readSignatures(data)
		if err != nil || len(sigs) != 1 || sigs[0].unread != nil {
			t.Fatal(len(sigs), err)
		}
		parsed[i] = sigs[0].packet
	}
	x, y := parsed[0], parsed[1]
	return len(a) == len(b) && x.HashTag == y.HashTag && bytes.Equal(x.HashSuffix, y.HashSuffix) && *x.IssuerKeyId == *y.IssuerKeyId &&
		bytes.Equal(x.EdDSASigR.Bytes(), y.EdDSASigR.Bytes()) && bytes.Equal(x.EdDSASigS.Bytes(), y.EdDSASigS.Bytes())
}

func TestPassphrases(t *testing.T) {
	g := newHome(t)
	g.gpg(nil, "--passphrase", "word", "--quick-generate-key", "a@example.org", "ed25519", "sign,cert", "never")
	secret := g.file(g.gpg(nil, "--passphrase", "word", "--export-secret-keys", "a@example.org"))
	s, err := OpenSigner(secret, PassphraseFile(g.file([]byte("word\nmore\n"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckWith(mustVerifier(t, g.public("a@example.org"))); err != nil {
		t.Error(err)
	}
	loose := g.file([]byte("word\n"))
	if err := os.Chmod(loose, 0o640); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"": "needs a passphrase", g.file([]byte("wrong\n")): "wrong passphrase", loose: "others can read or write it"} {
		if _, err := OpenSigner(secret, PassphraseFile(path)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("passphrase file %q: %v, want %q", path, err, want)
		}
	}
}

func TestFilesThatAreNoSigningKeys(t *testing.T) {
	g := newHome(t)
	print := g.generate("a", "ed25519", "sign,cert", "never")
	other := g.generate("b", "ed25519", "sign,cert", "never")
	secret := g.secret(print)
	loose := g.secret(print)
	if err := os.Chmod(loose, 0o644); err != nil {
		t.Fatal(err)
	}
	two := g.file(append(g.gpg(nil, "--export-secret-keys", print), g.gpg(nil, "--export-secret-keys", other)...))
	for path, want := range map[string]string{
		loose:                            "others can read or write it",
		g.public(print):                  "no secret key",
		two:                              "2 secret keys",
		g.file([]byte("hello")):          "no OpenPGP keys",
		g.file(nil):                      "empty",
		filepath.Join(g.Dir, "nowhere"):  "no such file",
		g.file(make([]byte, (8<<20)+1)):  "larger than",
		g.file([]byte{0xC5, 0xFF, 1, 0}): "damaged",
	} {
		if _, err := OpenSigner(path, PassphraseFile("")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	mustSigner(t, secret)
	mustSigner(t, g.file(g.gpg(nil, "-a", "--export-secret-keys", print)))
}

// TestASignerIsCheckedAgainstTheKeysThatVerify: a host that signs with a key
// that nobody looks for would store runs that do not exist for its readers.
func TestASignerIsCheckedAgainstTheKeysThatVerify(t *testing.T) {
	g := newHome(t)
	print, other := g.generate("a", "ed25519", "sign,cert", "never"), g.generate("b", "ed25519", "sign,cert", "never")
	err := mustSigner(t, g.secret(print)).CheckWith(mustVerifier(t, g.public(other)))
	if cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "none of those that are wanted") {
		t.Errorf("got %v", err)
	}
	if err := mustSigner(t, g.secret(other)).CheckWith(mustVerifier(t, g.secret(other))); err != nil {
		t.Errorf("the file of the secret key, to verify with: %v", err)
	}
}
