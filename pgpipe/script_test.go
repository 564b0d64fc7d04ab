package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"napback/internal/tooltest"
)

// prepare puts into a directory what scripts and examples work with: the keys
// of backup@example.org, and a GnuPG home that holds them.
func prepare(t testing.TB, dir string) (gnupgHome string) {
	g := newHome(t)
	_, keys := commonKeys()
	copyFile(t, keys[2].public, filepath.Join(dir, "backup.pgp"))
	copyFile(t, keys[2].secret, filepath.Join(dir, "secret.pgp"))
	g.GPG(t, nil, "--import", keys[2].secret)
	return g.Dir
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: tooltest.Updating(),
		Setup: func(env *testscript.Env) error {
			home := prepare(env.T().(testing.TB), env.WorkDir)
			env.Setenv("GNUPGHOME", home)
			env.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
	})
}

// TestManPageExamples runs every command line of the man page's EXAMPLES in
// one directory, with a real bash, tar, zstd and gpg.
func TestManPageExamples(t *testing.T) {
	dir := t.TempDir()
	home := prepare(t, dir)
	copyFile(t, "options.go", filepath.Join(dir, "file"))
	if ran := tooltest.RunExamples(t, "pgpipe.1", dir, append(os.Environ(), "GNUPGHOME="+home), nil); len(ran) < 5 {
		t.Errorf("%d examples found", len(ran))
	}
}
