package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"napback/internal/cli"
	"napback/internal/tooltest"
)

// cleanups run when all tests are done.
var cleanups []func()

type runner struct{ *testing.M }

func (r runner) Run() int {
	code := r.M.Run()
	for _, f := range cleanups {
		f()
	}
	return code
}

func TestMain(m *testing.M) { tooltest.Own(runner{m}, "pgpipe", main) }

// gnupg is a GnuPG home directory. Its path is short: agents' sockets are in it.
type gnupg struct{ dir string }

func makeHome() (*gnupg, error) {
	dir, err := os.MkdirTemp("/tmp", "pgp")
	if err != nil {
		return nil, err
	}
	// The agent's own choice makes each passphrase take 100 ms.
	conf := []byte("s2k-count 65536\n")
	return &gnupg{dir}, os.WriteFile(filepath.Join(dir, "gpg-agent.conf"), conf, 0o600)
}

func (g *gnupg) close() {
	g.command("gpgconf", "--kill", "all").Run()
	os.RemoveAll(g.dir)
}

// newHome returns an empty home that the test owns.
func newHome(t testing.TB) *gnupg {
	t.Helper()
	g, err := makeHome()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	return g
}

func (g *gnupg) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GNUPGHOME="+g.dir, "LC_ALL=C")
	return cmd
}

// try runs gpg and returns what it printed on stdout and stderr.
func (g *gnupg) try(stdin []byte, args ...string) (stdout []byte, stderr string, err error) {
	cmd := g.command("gpg", append([]string{"--batch", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback"}, args...)...)
	var out, diag bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &diag
	err = cmd.Run()
	return out.Bytes(), diag.String(), err
}

func (g *gnupg) gpg(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	out, diag, err := g.try(stdin, args...)
	if err != nil {
		t.Fatalf("gpg %q: %v\n%s", args, err, diag)
	}
	return out
}

// generate makes a key and, unless sub is empty, a subkey of the algorithm sub
// for encryption. It returns the fingerprint. Options go before the command.
func (g *gnupg) generate(t testing.TB, userID, primary, sub, expire, passphrase string, opts ...string) string {
	t.Helper()
	opts = append(opts, "--passphrase", passphrase)
	g.gpg(t, nil, append(opts, "--quick-generate-key", userID, primary, "sign,cert", expire)...)
	prints := g.prints(t, userID)
	if sub != "" {
		g.gpg(t, nil, append(opts, "--quick-add-key", prints[0], sub, "encr", expire)...)
	}
	return prints[0]
}

// prints returns the fingerprints of a key and of its subkeys.
func (g *gnupg) prints(t testing.TB, id string) []string {
	t.Helper()
	var prints []string
	for line := range strings.Lines(string(g.gpg(t, nil, "--with-colons", "--list-keys", "="+id))) {
		if fields := strings.Split(line, ":"); fields[0] == "fpr" {
			prints = append(prints, fields[9])
		}
	}
	return prints
}

// export writes the public and the secret key into the home, readable by the
// owner only, and returns the paths.
func (g *gnupg) export(t testing.TB, id, passphrase string) (public, secret string) {
	t.Helper()
	public = g.file(t, g.gpg(t, nil, "--export", id))
	secret = g.file(t, g.gpg(t, nil, "--passphrase", passphrase, "--export-secret-keys", id))
	return public, secret
}

// file stores content in the home, readable by the owner only.
func (g *gnupg) file(t testing.TB, content []byte) string {
	t.Helper()
	f, err := os.CreateTemp(g.dir, "file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func (g *gnupg) path(name string) string { return filepath.Join(g.dir, name) }

// testKey is a key that many tests use.
type testKey struct {
	name, userID, fingerprint string
	public, secret            string // files
}

// The three kinds of key that people have, made once.
var commonKeys = sync.OnceValues(func() (*gnupg, []testKey) {
	g, err := makeHome()
	if err != nil {
		panic(err)
	}
	cleanups = append(cleanups, g.close)
	t := onceTB{}
	var keys []testKey
	for _, k := range []struct{ name, primary, sub string }{
		{"rsa3072", "rsa3072", "rsa3072"}, {"rsa4096", "rsa4096", "rsa4096"}, {"cv25519", "ed25519", "cv25519"},
	} {
		id := strings.ToUpper(k.name) + " <" + k.name + "@example.org>"
		print := g.generate(t, id, k.primary, k.sub, "1y", "")
		public, secret := g.export(t, print, "")
		keys = append(keys, testKey{k.name, id, print, public, secret})
	}
	return g, keys
})

// onceTB is a testing.TB for what is made once for several tests.
type onceTB struct{ testing.TB }

func (onceTB) Helper()                           {}
func (onceTB) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (onceTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// result is what pgpipe did.
type result struct {
	stdout []byte
	stderr string
	status int
}

// pgpipe runs the tool in this process.
func pgpipe(t testing.TB, stdin io.Reader, args ...string) result {
	t.Helper()
	var out, diag bytes.Buffer
	err := run(context.Background(), args, cli.Streams{In: stdin, Out: &out, Err: &diag})
	cli.PrintError(&diag, "pgpipe", err)
	return result{out.Bytes(), diag.String(), cli.ExitStatus(err)}
}

// mustPgpipe runs the tool and returns its output.
func mustPgpipe(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	r := pgpipe(t, bytes.NewReader(stdin), args...)
	if r.status != cli.OK {
		t.Fatalf("pgpipe %q: status %d\n%s", args, r.status, r.stderr)
	}
	return r.stdout
}
