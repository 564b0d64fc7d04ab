package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/cli"
)

// ringPrints returns the fingerprints of the keys in a keyring file, sorted.
func ringPrints(t *testing.T, path string) []string {
	t.Helper()
	keys, err := readKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var prints []string
	for _, k := range keys {
		prints = append(prints, k.copies[0].Fingerprint)
	}
	slices.Sort(prints)
	return prints
}

// gpgPrints returns the fingerprints of the primary keys that gpg lists.
func (g *gnupg) gpgPrints(t *testing.T) []string {
	t.Helper()
	var prints []string
	primary := false
	for line := range strings.Lines(string(g.GPG(t, nil, "--with-colons", "--list-keys"))) {
		fields := strings.Split(line, ":")
		switch {
		case fields[0] == "pub":
			primary = true
		case fields[0] == "fpr" && primary:
			prints = append(prints, fields[9])
			primary = false
		}
	}
	slices.Sort(prints)
	return prints
}

func TestKeyringsHoldWhatGPGLists(t *testing.T) {
	g, _ := zoo()
	want := g.gpgPrints(t)
	if got := ringPrints(t, zooRing()); !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("pubring.kbx: %d keys, gpg lists %d", len(got), len(want))
	}
	exported := g.GPG(t, nil, "--export")
	armored := g.GPG(t, nil, "-a", "--export")
	for name, data := range map[string][]byte{
		"binary export": exported, "armored export": armored,
		"armored twice": append(bytes.Clone(armored), armored...),
		"text around":   append([]byte("my keys:\n\n"), armored...),
	} {
		if got := ringPrints(t, g.File(t, data)); !slices.Equal(got, want) {
			t.Errorf("%s: %d keys, gpg lists %d", name, len(got), len(want))
		}
	}
	legacy := newHome(t)
	if err := os.WriteFile(legacy.path("pubring.gpg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	legacy.GPG(t, exported, "--import")
	if _, err := os.Stat(legacy.path("pubring.kbx")); err == nil {
		t.Fatal("gpg made a keybox")
	}
	if got, want := ringPrints(t, legacy.path("pubring.gpg")), legacy.gpgPrints(t); !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("pubring.gpg: %d keys, gpg lists %d", len(got), len(want))
	}
}

func TestDeletedKeysAreNotInAKeybox(t *testing.T) {
	g := newHome(t)
	g.generate(t, "A <a@example.org>", "ed25519", "cv25519", "never", "")
	gone := g.generate(t, "B <b@example.org>", "ed25519", "cv25519", "never", "")
	g.generate(t, "C <c@example.org>", "ed25519", "cv25519", "never", "")
	g.GPG(t, nil, "--yes", "--delete-secret-and-public-key", gone)
	if got, want := ringPrints(t, g.path("pubring.kbx")), g.gpgPrints(t); !slices.Equal(got, want) || len(got) != 2 {
		t.Errorf("got %q, gpg lists %q", got, want)
	}
}

func TestTheDefaultKeyringIsTheOneThatGPGUses(t *testing.T) {
	source, keys := commonKeys()
	first, second := keys[0], keys[2]
	public := func(k testKey) []byte { return source.GPG(t, nil, "--export", k.fingerprint) }
	touch := func(g *gnupg, name string) {
		t.Helper()
		if err := os.WriteFile(g.path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, prepare := range map[string]func(g *gnupg){
		"keybox": func(g *gnupg) { g.GPG(t, public(first), "--import") },
		"legacy": func(g *gnupg) {
			touch(g, "pubring.gpg")
			g.GPG(t, public(first), "--import")
		},
		"keybox, then legacy": func(g *gnupg) {
			g.GPG(t, public(first), "--import")
			data := source.File(t, public(second))
			if err := os.Rename(data, g.path("pubring.gpg")); err != nil {
				t.Fatal(err)
			}
		},
		"legacy, and gpgsm's keybox": func(g *gnupg) {
			touch(g, "pubring.gpg")
			g.GPG(t, public(first), "--import")
			other := newHome(t)
			other.GPG(t, public(second), "--import")
			box, err := os.ReadFile(other.path("pubring.kbx"))
			if err != nil {
				t.Fatal(err)
			}
			box[7] &^= 2 // as if gpg had never used it
			if err := os.WriteFile(g.path("pubring.kbx"), box, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		g := newHome(t)
		prepare(g)
		t.Setenv("GNUPGHOME", g.Dir)
		path, err := defaultKeyring()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := ringPrints(t, path), g.gpgPrints(t); !slices.Equal(got, want) || len(want) != 1 {
			t.Errorf("%s: %s holds %q, gpg lists %q", name, filepath.Base(path), got, want)
		}
	}
}

func TestTheDefaultKeyringIsMissingOrBelongsToKeyboxd(t *testing.T) {
	_, keys := commonKeys()
	g := newHome(t)
	t.Setenv("GNUPGHOME", g.Dir)
	args := []string{"-r", keys[2].fingerprint}
	refuse(t, cli.Failed, args, "no GnuPG keyring", "gpg --export KEY")
	g.GPG(t, nil, "--import", keys[2].public)
	mustPgpipe(t, nil, args...)
	for _, line := range []string{"use-keyboxd\n", "# comment\n  use-keyboxd  # yes\n", "--use-keyboxd"} {
		if err := os.WriteFile(g.path("common.conf"), []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		refuse(t, cli.Failed, args, "keyboxd", "gpg --export KEY")
	}
	if err := os.WriteFile(g.path("common.conf"), []byte("# use-keyboxd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustPgpipe(t, nil, args...)
}

func TestTheKeyringIsFoundWithoutHOME(t *testing.T) {
	t.Setenv("GNUPGHOME", "")
	want, err := gnupgHome()
	if err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{"/", "", "/nonexistent"} {
		t.Setenv("HOME", home)
		if got, err := gnupgHome(); err != nil || got != want {
			t.Errorf("HOME=%q: %q, %v; want %q", home, got, err, want)
		}
	}
	if !strings.HasSuffix(want, "/.gnupg") || want == "/.gnupg" {
		t.Errorf("got %q", want)
	}
}

// blob returns a keybox blob.
func blob(kind byte, flags uint16, offset, length uint32, rest string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(keyboxBlobHead+len(rest)))
	b = append(b, kind, 1)
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint32(b, offset)
	b = binary.BigEndian.AppendUint32(b, length)
	return append(b, rest...)
}

func headBlob() []byte {
	b := blob(keyboxTypeHead, 2, 0, 0, "................")
	copy(b[8:], keyboxMagic)
	return b
}

func TestKeyboxBlocks(t *testing.T) {
	box := bytes.Join([][]byte{
		headBlob(), blob(keyboxTypePGP, 0, 20, 3, "1234abc..."), blob(3, 0, 16, 4, "x509"),
		blob(keyboxTypeEmpty, 0, 99, 99, "gone"), blob(keyboxTypePGP, keyboxEphemeral, 16, 4, "temp"),
		blob(keyboxTypePGP, 1, 16, 2, "de"), {0, 0, 0, 5, 0},
	}, nil)
	blocks, err := keyboxBlocks(box)
	if err != nil || len(blocks) != 2 || string(blocks[0]) != "abc" || string(blocks[1]) != "de" {
		t.Errorf("got %q, %v", blocks, err)
	}
	for name, bad := range map[string][]byte{
		"no header":            blob(keyboxTypePGP, 0, 16, 2, "de"),
		"cut in a length":      append(headBlob(), 0, 0, 0),
		"cut in a blob":        append(headBlob(), blob(2, 0, 16, 2, "de")[:17]...),
		"length 0":             append(headBlob(), 0, 0, 0, 0, 2),
		"short OpenPGP blob":   append(headBlob(), 0, 0, 0, 5, 2),
		"block behind the end": append(headBlob(), blob(2, 0, 16, 3, "de")...),
		"block in the header":  append(headBlob(), blob(2, 0, 15, 3, "de")...),
		"offset wraps":         append(headBlob(), blob(2, 0, 0xFFFFFFFF, 2, "de")...),
	} {
		if blocks, err := keyboxBlocks(bad); err == nil {
			t.Errorf("%s: got %q", name, blocks)
		}
	}
}

func FuzzKeybox(f *testing.F) {
	f.Add(seed(f, "pubring.kbx"))
	f.Add(headBlob())
	f.Add(append(headBlob(), blob(keyboxTypePGP, 0, 16, 2, "de")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := keyboxBlocks(data)
		if err != nil {
			return
		}
		box := headBlob()
		for _, b := range blocks {
			box = append(box, blob(keyboxTypePGP, 0, keyboxBlobHead, uint32(len(b)), string(b))...)
		}
		again, err := keyboxBlocks(box)
		if err != nil || !slices.EqualFunc(again, blocks, bytes.Equal) {
			t.Fatalf("got %q, then %q, %v", blocks, again, err)
		}
	})
}

// seed returns a file that gpg has made, small ones for fuzzing.
func seed(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/keys", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// FuzzKeyFile feeds everything that is read of key files: keyboxes, armor and
// packets.
func FuzzKeyFile(f *testing.F) {
	for _, name := range []string{"pubring.kbx", "pubring.gpg", "armored.asc", "secret.pgp"} {
		f.Add(seed(f, name))
	}
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := parseKeyFile("fuzz", data)
		if err != nil {
			return
		}
		for _, k := range keys {
			if e, err := k.entity(); (e == nil) != (err != nil) {
				t.Fatalf("key %s: entity %v, error %v", k.copies[0].Fingerprint, e, err)
			}
		}
		for _, selectors := range [][]selector{nil, {{email: "seed@example.org"}, {hex: "00000000"}}} {
			found, err := findRecipients(keys, selectors, now)
			for _, r := range found {
				if r.subkey == nil || !r.expires.IsZero() && !now.Before(r.expires) {
					t.Fatalf("a recipient that cannot be used: %+v, %v", r, err)
				}
			}
		}
	})
}
