package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/ProtonMail/gopenpgp/v2/crypto"
)

// recipientFlags names several -R files.
func recipientFlags(keys ...testKey) []string {
	var args []string
	for _, k := range keys {
		args = append(args, "-R", k.public)
	}
	return args
}

func TestGPGAndGopenpgpReadWhatPgpipeWrites(t *testing.T) {
	g, keys := commonKeys()
	for _, k := range keys {
		for _, size := range []int{0, 1, 511, 512, 513, 65535, 65536, seipdChunk - 50, seipdChunk, 10 << 20} {
			plain := randomBytes(size)
			for _, armored := range []bool{false, true} {
				if armored && size > 1<<16 && k.name != "cv25519" {
					continue
				}
				args := recipientFlags(k)
				if armored {
					args = append(args, "-a")
				}
				sealed := mustPgpipe(t, plain, args...)
				if got := g.GPG(t, sealed, "-d"); !bytes.Equal(got, plain) {
					t.Errorf("%s, %d bytes, armored %v: gpg -d differs", k.name, size, armored)
				}
				if got := mustPgpipe(t, sealed, "-d", "-k", k.secret); !bytes.Equal(got, plain) {
					t.Errorf("%s, %d bytes, armored %v: pgpipe -d differs", k.name, size, armored)
				}
				if !armored && size < 1<<20 {
					checkGopenpgp(t, k, sealed, plain)
				}
			}
		}
	}
}

func checkGopenpgp(t *testing.T, k testKey, sealed, plain []byte) {
	t.Helper()
	data, err := os.ReadFile(k.secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := crypto.NewKey(data)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := crypto.NewKeyRing(private)
	if err != nil {
		t.Fatal(err)
	}
	message, err := ring.Decrypt(crypto.NewPGPMessage(sealed), nil, 0)
	if err != nil || !bytes.Equal(message.GetBinary(), plain) {
		t.Errorf("%s, %d bytes: gopenpgp: %v", k.name, len(plain), err)
	}
}

func TestTheMessageIsOnePlainStandardOne(t *testing.T) {
	g, keys := commonKeys()
	sealed := mustPgpipe(t, bytes.Repeat([]byte("compressible "), 1000), recipientFlags(keys...)...)
	listing := string(g.GPG(t, sealed, "--list-packets"))
	var packets []string
	for line := range strings.Lines(listing) {
		if strings.HasPrefix(line, ":") {
			packets = append(packets, strings.SplitN(line, ":", 3)[1])
		}
	}
	want := "pubkey enc packet, pubkey enc packet, pubkey enc packet, encrypted data packet, literal data packet"
	if got := strings.Join(packets, ", "); got != want {
		t.Errorf("packets: %s\nwant:    %s", got, want)
	}
	for _, line := range []string{"mdc_method: 2", `mode b (62), created 0, name=""`} {
		if !strings.Contains(listing, line) {
			t.Errorf("gpg --list-packets does not say %q:\n%s", line, listing)
		}
	}
	_, diag, err := g.Try(sealed, "-v", "-d")
	if err != nil || !strings.Contains(diag, "AES256.CFB encrypted data") && !strings.Contains(diag, "AES256 encrypted data") {
		t.Errorf("gpg -v -d does not speak of AES256: %v\n%s", err, diag)
	}
}

func TestEveryRecipientDecryptsAlone(t *testing.T) {
	_, keys := commonKeys()
	plain := randomBytes(5000)
	sealed := mustPgpipe(t, plain, recipientFlags(keys...)...)
	for _, k := range keys {
		if got := mustPgpipe(t, sealed, "-d", "-k", k.secret); !bytes.Equal(got, plain) {
			t.Errorf("%s: pgpipe -d differs", k.name)
		}
		alone := newHome(t)
		alone.GPG(t, nil, "--import", k.secret)
		if got := alone.GPG(t, sealed, "-d"); !bytes.Equal(got, plain) {
			t.Errorf("%s: gpg -d differs", k.name)
		}
	}
}

func TestPgpipeReadsWhatGPGWrites(t *testing.T) {
	g, keys := commonKeys()
	text := bytes.Repeat([]byte("line of text\r\nand another\n"), 20000)
	for _, k := range keys {
		for _, c := range []struct {
			name string
			args []string
		}{
			{"default (zlib)", nil},
			{"uncompressed", []string{"-z", "0"}},
			{"zip", []string{"--compress-algo", "zip"}},
			{"bzip2", []string{"--compress-algo", "bzip2"}},
			{"armored", []string{"-a"}},
			{"hidden recipient", []string{"--throw-keyids"}},
			{"signed", []string{"-s", "-u", k.fingerprint}},
			{"AES128", []string{"--cipher-algo", "AES"}},
			{"AES192", []string{"--cipher-algo", "AES192"}},
			{"CAST5", []string{"--cipher-algo", "CAST5"}},
			{"3DES", []string{"--cipher-algo", "3DES"}},
		} {
			if k.name == "rsa4096" && c.args != nil {
				continue // the packets are those of rsa3072
			}
			for _, plain := range [][]byte{text, nil} {
				sealed := g.GPG(t, plain, append(c.args, "-e", "-r", k.fingerprint)...)
				if got := mustPgpipe(t, sealed, "-d", "-k", k.secret); !bytes.Equal(got, plain) {
					t.Errorf("%s, %s, %d bytes: differs", k.name, c.name, len(plain))
				}
			}
		}
	}
}

func TestPgpipeReadsAKnownSizeFromGPG(t *testing.T) {
	// For a file gpg writes packets of definite length.
	g, keys := commonKeys()
	plain := randomBytes(100000)
	in := g.File(t, plain)
	for _, size := range []string{"0", "6"} {
		sealed := g.GPG(t, nil, "-z", size, "-o", "-", "-r", keys[2].fingerprint, "-e", in)
		if got := mustPgpipe(t, sealed, "-d", "-k", keys[2].secret); !bytes.Equal(got, plain) {
			t.Errorf("-z %s: differs", size)
		}
	}
}

func TestSeveralKeysInASecretKeyFile(t *testing.T) {
	g, keys := commonKeys()
	var all []byte
	for _, k := range keys {
		all = append(all, g.GPG(t, nil, "--export-secret-keys", "-a", k.fingerprint)...)
	}
	armored := g.File(t, all)
	plain := []byte("hello\n")
	for _, k := range keys {
		for _, hidden := range []string{"--no-throw-keyids", "--throw-keyids"} {
			sealed := g.GPG(t, plain, hidden, "-e", "-r", k.fingerprint)
			if got := mustPgpipe(t, sealed, "-d", "-k", armored); !bytes.Equal(got, plain) {
				t.Errorf("%s %s: differs", k.name, hidden)
			}
		}
	}
}
