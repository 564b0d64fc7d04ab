package sign

import (
	"testing"

	"napback/internal/tooltest"
)

// gnupg is a home of a test.
type gnupg struct {
	*tooltest.GnuPG
	t testing.TB

	seconds int // of the last self-signature
}

func newHome(t testing.TB) *gnupg {
	t.Helper()
	return &gnupg{GnuPG: tooltest.GnuPGHome(t), t: t}
}

func (g *gnupg) gpg(stdin []byte, args ...string) []byte {
	g.t.Helper()
	return g.GPG(g.t, stdin, args...)
}

func (g *gnupg) file(content []byte) string {
	g.t.Helper()
	return g.File(g.t, content)
}

// generate makes a key without passphrase and returns its fingerprint. Options
// go before the command.
func (g *gnupg) generate(name, algorithm, usage, expire string, opts ...string) string {
	g.t.Helper()
	id := name + " <" + name + "@example.org>"
	g.gpg(nil, append(opts, "--passphrase", "", "--quick-generate-key", id, algorithm, usage, expire)...)
	return g.Prints(g.t, id)[0]
}

// public and secret export a key into a file that only its owner can read.
func (g *gnupg) public(id string) string { return g.file(g.gpg(nil, "--export", id)) }

func (g *gnupg) secret(id string) string {
	return g.file(g.gpg(nil, "--passphrase", "", "--export-secret-keys", id))
}

// sign lets gpg make a detached signature.
func (g *gnupg) sign(data []byte, by string, opts ...string) []byte {
	g.t.Helper()
	return g.gpg(data, append(opts, "-u", by, "--detach-sign")...)
}

func mustSigner(t testing.TB, path string) *Signer {
	t.Helper()
	s, err := OpenSigner(path, PassphraseFile(""))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustVerifier(t testing.TB, paths ...string) *Verifier {
	t.Helper()
	v, err := OpenVerifier(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
