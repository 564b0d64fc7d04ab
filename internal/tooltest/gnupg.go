package tooltest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// GnuPG is a GnuPG home directory. Its path is short: agents' sockets are in it.
type GnuPG struct{ Dir string }

// NewGnuPG makes an empty home that the caller closes.
func NewGnuPG() (*GnuPG, error) {
	dir, err := os.MkdirTemp("/tmp", "gpg")
	if err != nil {
		return nil, err
	}
	// The agent's own choice makes each passphrase take 100 ms.
	return &GnuPG{dir}, os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), []byte("s2k-count 65536\n"), 0o600)
}

// GnuPGHome makes an empty home that the test owns.
func GnuPGHome(t testing.TB) *GnuPG {
	t.Helper()
	g, err := NewGnuPG()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// Close ends the home's agents and removes it.
func (g *GnuPG) Close() {
	g.Command("gpgconf", "--kill", "all").Run()
	os.RemoveAll(g.Dir)
}

// Command is a program of GnuPG's that uses the home.
func (g *GnuPG) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+g.Dir, "LC_ALL=C")
	return cmd
}

// Try runs gpg and returns what it printed on stdout and stderr.
func (g *GnuPG) Try(stdin []byte, args ...string) (stdout []byte, stderr string, err error) {
	cmd := g.Command("gpg", append([]string{"--batch", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback"}, args...)...)
	var out, diag bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &diag
	err = cmd.Run()
	return out.Bytes(), diag.String(), err
}

// GPG is Try for what has to succeed. It returns stdout.
func (g *GnuPG) GPG(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	out, diag, err := g.Try(stdin, args...)
	if err != nil {
		t.Fatalf("gpg %q: %v\n%s", args, err, diag)
	}
	return out
}

// Prints returns the fingerprints of a key and of its subkeys.
func (g *GnuPG) Prints(t testing.TB, id string) []string {
	t.Helper()
	var prints []string
	for line := range strings.Lines(string(g.GPG(t, nil, "--with-colons", "--list-keys", id))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			prints = append(prints, fields[9])
		}
	}
	return prints
}

// File stores content in the home, readable by the owner only.
func (g *GnuPG) File(t testing.TB, content []byte) string {
	t.Helper()
	f, err := os.CreateTemp(g.Dir, "file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}
