package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

// gnupg is a home with the keys of these tests.
type gnupg struct{ *tooltest.GnuPG }

// newHome returns an empty home that the test owns.
func newHome(t testing.TB) *gnupg {
	t.Helper()
	return &gnupg{tooltest.GnuPGHome(t)}
}

// lastingHome returns an empty home for all tests.
func lastingHome() *gnupg {
	g, err := tooltest.NewGnuPG()
	if err != nil {
		panic(err)
	}
	cleanups = append(cleanups, g.Close)
	return &gnupg{g}
}

// generate makes a key and, unless sub is empty, a subkey of the algorithm sub
// for encryption. It returns the fingerprint. Options go before the command.
func (g *gnupg) generate(t testing.TB, userID, primary, sub, expire, passphrase string, opts ...string) string {
	t.Helper()
	opts = append(opts, "--passphrase", passphrase)
	g.GPG(t, nil, append(opts, "--quick-generate-key", userID, primary, "sign,cert", expire)...)
	prints := g.Prints(t, "="+userID)
	if sub != "" {
		g.GPG(t, nil, append(opts, "--quick-add-key", prints[0], sub, "encr", expire)...)
	}
	return prints[0]
}

// export writes the public and the secret key into the home, readable by the
// owner only, and returns the paths.
func (g *gnupg) export(t testing.TB, id, passphrase string) (public, secret string) {
	t.Helper()
	public = g.File(t, g.GPG(t, nil, "--export", id))
	secret = g.File(t, g.GPG(t, nil, "--passphrase", passphrase, "--export-secret-keys", id))
	return public, secret
}

func (g *gnupg) path(name string) string { return filepath.Join(g.Dir, name) }

// testKey is a key that many tests use.
type testKey struct {
	name, userID, fingerprint string
	public, secret            string // files
}

// The three kinds of key that people have, made once.
var commonKeys = sync.OnceValues(func() (*gnupg, []testKey) {
	g := lastingHome()
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
