package main

import (
	"os"
	"path/filepath"
	"testing"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/tooltest"
)

func TestATerminalObeysNothingOfAUserID(t *testing.T) {
	e, err := openpgp.NewEntity(tooltest.Hostile, "", "evil@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ring.pgp")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Serialize(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s := tooltest.Store{Env: os.Environ()}
	for _, args := range [][]string{
		{"--check", "--keyring", path, "-r", "evil@example.org"}, {"--check", "--json", "--keyring", path, "-r", "evil@example.org"},
		{"--check", "--keyring", path, "-r", "absent@example.org"}, {"--check", "--keyring", path, "-r", tooltest.Hostile},
		{"--check", "--keyring", tooltest.Hostile, "-r", "evil@example.org"}, {"-d", "-k", tooltest.Hostile}, {tooltest.Hostile},
	} {
		r := s.Run(t, nil, "pgpipe", args...)
		if r.Out+r.Err == "" {
			t.Errorf("%q prints nothing", args)
		}
		tooltest.Harmless(t, "pgpipe "+args[0], r.Out+r.Err)
		if args[len(args)-1] == "evil@example.org" && args[2] == path && r.Code != 0 {
			t.Errorf("%q: exit status %d, %s", args, r.Code, r.Err)
		}
	}
}
