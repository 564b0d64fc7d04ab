package sign

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gnupg is a GnuPG home directory. Its path is short: agents' sockets are in it.
type gnupg struct {
	t   testing.TB
	dir string

	seconds int // of the last self-signature
}

func newHome(t testing.TB) *gnupg {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "sig")
	if err != nil {
		t.Fatal(err)
	}
	g := &gnupg{t: t, dir: dir}
	t.Cleanup(func() {
		g.command("gpgconf", "--kill", "all").Run()
		os.RemoveAll(dir)
	})
	// The agent's own choice makes each passphrase take 100 ms.
	if err := os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), []byte("s2k-count 65536\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gnupg) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+g.dir, "LC_ALL=C")
	return cmd
}

func (g *gnupg) try(stdin []byte, args ...string) (stdout []byte, stderr string, err error) {
	cmd := g.command("gpg", append([]string{"--batch", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback"}, args...)...)
	var out, diag bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &diag
	err = cmd.Run()
	return out.Bytes(), diag.String(), err
}

func (g *gnupg) gpg(stdin []byte, args ...string) []byte {
	g.t.Helper()
	out, diag, err := g.try(stdin, args...)
	if err != nil {
		g.t.Fatalf("gpg %q: %v\n%s", args, err, diag)
	}
	return out
}

// generate makes a key without passphrase and returns its fingerprint. Options
// go before the command.
func (g *gnupg) generate(name, algorithm, usage, expire string, opts ...string) string {
	g.t.Helper()
	id := name + " <" + name + "@example.org>"
	g.gpg(nil, append(opts, "--passphrase", "", "--quick-generate-key", id, algorithm, usage, expire)...)
	return g.prints(id)[0]
}

// prints returns the fingerprints of a key and of its subkeys.
func (g *gnupg) prints(id string) []string {
	g.t.Helper()
	var prints []string
	for line := range strings.Lines(string(g.gpg(nil, "--with-colons", "--list-keys", id))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			prints = append(prints, fields[9])
		}
	}
	return prints
}

// public and secret export a key into a file that only its owner can read.
func (g *gnupg) public(id string) string { return g.file(g.gpg(nil, "--export", id)) }

func (g *gnupg) secret(id string) string {
	return g.file(g.gpg(nil, "--passphrase", "", "--export-secret-keys", id))
}

func (g *gnupg) file(content []byte) string {
	g.t.Helper()
	f, err := os.CreateTemp(g.dir, "file")
	if err != nil {
		g.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		g.t.Fatal(err)
	}
	return f.Name()
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
