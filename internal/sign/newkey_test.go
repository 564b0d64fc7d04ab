package sign

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestANewKeySignsAndCanBeLocked(t *testing.T) {
	for _, passphrase := range []string{"", "open sesame"} {
		k, err := NewKey("napback of web1", "backup@web1", []byte(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(k.Public, []byte("PRIVATE")) || !bytes.Contains(k.Secret, []byte("PRIVATE")) {
			t.Errorf("the parts are exchanged:\n%s%s", k.Public, k.Secret)
		}
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, k.Secret, 0o600); err != nil {
			t.Fatal(err)
		}
		secret := filepath.Join(t.TempDir(), "passphrase")
		if err := os.WriteFile(secret, []byte(passphrase+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSigner(file, PassphraseFile("")); (err == nil) != (passphrase == "") {
			t.Errorf("passphrase %q: opened without one: %v", passphrase, err)
		}
		s, err := OpenSigner(file, PassphraseFile(secret))
		if err != nil || s.Fingerprint() != k.Fingerprint {
			t.Errorf("passphrase %q: %v", passphrase, err)
		}
		g := newHome(t)
		g.gpg(k.Secret, "--import")
		if listed := g.gpg(nil, "--with-colons", "--list-secret-keys"); !bytes.Contains(listed, []byte(k.Fingerprint)) || !bytes.Contains(listed, []byte("backup@web1")) {
			t.Errorf("gpg has %s", listed)
		}
	}
}
