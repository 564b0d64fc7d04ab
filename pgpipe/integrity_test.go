package main

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/storetest"
)

func TestEveryKindOfMessageIsRead(t *testing.T) {
	_, keys := commonKeys()
	for _, k := range keys {
		for name, message := range smallMessages(t, k) {
			if got := mustPgpipe(t, message, "-d", "-k", k.secret); string(got) != smallSecret {
				t.Errorf("%s, %s: got %q", k.name, name, got)
			}
		}
	}
}

const smallSecret = "a small secret"

// TestEveryFlippedByteIsNoticed flips every byte of small messages. What is in
// front of the encrypted packet is not covered by its integrity code: there
// the message may seem to be for another key, or a bit may be one that no
// program looks at (the length of a number in bits, the mark of a compressed
// point), so that the right content comes out.
func TestEveryFlippedByteIsNoticed(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	_, keys := commonKeys()
	for _, k := range []testKey{keys[0], keys[2]} {
		for name, message := range smallMessages(t, k) {
			if k.name == "rsa3072" && name != "pgpipe" {
				continue // slow, and all but the session key is the same
			}
			sealedAt := endOfSessionKeys(t, message)
			if name == "gpg 2.4, OCB" {
				const version = 2 // after tag and length; the library does not look at it
				sealedAt += version + 1
			}
			for i := range message {
				for _, flip := range []byte{0x01, 0xFF} {
					if flip == 0xFF && name != "pgpipe" {
						continue // slow
					}
					damaged := bytes.Clone(message)
					damaged[i] ^= flip
					r := pgpipe(t, bytes.NewReader(damaged), "-d", "-k", k.secret)
					noticed := r.status == cli.Integrity
					if i < sealedAt {
						noticed = noticed ||
							r.status == cli.Failed && strings.Contains(r.stderr, "none of them is in") ||
							r.status == cli.OK && string(r.stdout) == smallSecret
					}
					if !noticed {
						t.Errorf("%s, %s: byte %d of %d ^ %#x: status %d, %s", k.name, name, i, len(message), flip, r.status, r.stderr)
					}
				}
			}
		}
	}
}

// endOfSessionKeys returns where the encrypted packet starts.
func endOfSessionKeys(t *testing.T, message []byte) int {
	t.Helper()
	r := bytes.NewReader(message)
	if _, err := packet.Read(r); err != nil {
		t.Fatal(err)
	}
	return len(message) - r.Len()
}

func TestEveryCutIsNoticed(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	_, keys := commonKeys()
	k := keys[2]
	messages := smallMessages(t, k)
	messages["armored"] = bytes.TrimSpace(mustPgpipe(t, []byte(smallSecret), "-a", "-R", k.public))
	for name, message := range messages {
		for i := range message {
			r := pgpipe(t, bytes.NewReader(message[:i]), "-d", "-k", k.secret)
			if r.status != cli.Integrity {
				t.Errorf("%s: cut after %d of %d bytes: status %d, %s", name, i, len(message), r.status, r.stderr)
			}
		}
	}
	// A stream of several pieces, cut around every border of a piece.
	big := mustPgpipe(t, randomBytes(3*seipdChunk), "-R", k.public)
	start := endOfSessionKeys(t, big)
	for piece := 0; piece < 4; piece++ {
		for d := -2; d <= 2; d++ {
			cut := start + 1 + piece*(seipdChunk+1) + d
			if r := pgpipe(t, bytes.NewReader(big[:cut]), "-d", "-k", k.secret); r.status != cli.Integrity {
				t.Errorf("cut after %d of %d bytes: status %d", cut, len(big), r.status)
			}
		}
	}
}

// TestAMissingLastLengthIsNoticed cuts the one byte of a message that holds no
// content: the length 0 that ends a packet after a partial one.
func TestAMissingLastLengthIsNoticed(t *testing.T) {
	g, keys := commonKeys()
	k := keys[2]
	for name, makeMessage := range map[string]func(plain []byte) []byte{
		"pgpipe": func(plain []byte) []byte { return mustPgpipe(t, plain, "-R", k.public) },
		"gpg, CAST5": func(plain []byte) []byte {
			return g.GPG(t, plain, "-z", "0", "--cipher-algo", "CAST5", "-e", "-r", k.fingerprint)
		},
		"library, SEIPDv2": func(plain []byte) []byte { return aeadMessage(t, k, plain) },
		"gpg 2.4, OCB":     func(plain []byte) []byte { return ocbMessage(t, k, plain) },
	} {
		const partial, partialLog = 512, 9
		size := partial
		for {
			message := makeMessage(make([]byte, size))
			start := endOfSessionKeys(t, message)
			p, err := packet.NewOpaqueReader(bytes.NewReader(message[start:])).Next()
			if err != nil {
				t.Fatal(err)
			}
			if excess := len(p.Contents) - partial; excess > 0 {
				size -= excess
				continue
			}
			whole := append(bytes.Clone(message[:start]), 0xC0|p.Tag, 0xE0|partialLog)
			whole = append(append(whole, p.Contents...), 0)
			if got := mustPgpipe(t, whole, "-d", "-k", k.secret); len(got) != size {
				t.Errorf("%s: got %d bytes of %d", name, len(got), size)
			}
			if r := pgpipe(t, bytes.NewReader(whole[:len(whole)-1]), "-d", "-k", k.secret); r.status != cli.Integrity {
				t.Errorf("%s: without the last length: status %d", name, r.status)
			}
			break
		}
	}
}

func TestAnythingBehindTheMessageIsRefused(t *testing.T) {
	_, keys := commonKeys()
	k := keys[2]
	for name, message := range smallMessages(t, k) {
		for _, extra := range [][]byte{{0}, []byte("\n"), message, {0xCA, 3, 'P', 'G', 'P'}} {
			r := pgpipe(t, bytes.NewReader(append(bytes.Clone(message), extra...)), "-d", "-k", k.secret)
			if r.status != cli.Integrity || !strings.Contains(r.stderr, "something follows the end of the message") {
				t.Errorf("%s and %d bytes: status %d, %s", name, len(extra), r.status, r.stderr)
			}
		}
	}
	armored := mustPgpipe(t, []byte("x"), "-a", "-R", k.public)
	for _, extra := range []string{"x", "\n\nx", string(armored)} {
		if r := pgpipe(t, strings.NewReader(string(armored)+extra), "-d", "-k", k.secret); r.status != cli.Integrity {
			t.Errorf("armored and %q: status %d", extra, r.status)
		}
	}
	if got := mustPgpipe(t, append([]byte("\n \n"), append(armored, " \r\n\n"...)...), "-d", "-k", k.secret); string(got) != "x" {
		t.Errorf("white space around armor: got %q", got)
	}
}

func TestAMessageWithoutIntegrityProtectionIsRefused(t *testing.T) {
	_, keys := commonKeys()
	k := keys[2]
	// gpg 2.2 makes no such message any more: a Symmetrically Encrypted Data
	// packet (tag 9), OpenPGP's CFB with resynchronisation and no MDC.
	keyring, err := readKeyFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	session := randomBytes(32)
	var message, inside bytes.Buffer
	if err := packet.SerializeEncryptedKeyAEAD(&message, mustEntity(t, keyring[0]).Subkeys[0].PublicKey, packet.CipherAES256, false, session, nil); err != nil {
		t.Fatal(err)
	}
	literal, err := packet.SerializeLiteral(keepOpen{&inside}, true, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(literal, "not protected")
	literal.Close()
	block, err := aes.NewCipher(session)
	if err != nil {
		t.Fatal(err)
	}
	stream, prefix := packet.NewOCFBEncrypter(block, randomBytes(aes.BlockSize), packet.OCFBResync)
	body := bytes.NewBuffer(prefix)
	cipher.StreamWriter{S: stream, W: body}.Write(inside.Bytes())
	message.WriteByte(0xC0 | 9)
	message.Write(definiteLength(body.Len()))
	message.Write(body.Bytes())

	r := pgpipe(t, &message, "-d", "-k", k.secret)
	if r.status != cli.Integrity || len(r.stdout) > 0 || !strings.Contains(r.stderr, "no integrity protection") {
		t.Errorf("status %d, stdout %q, %s", r.status, r.stdout, r.stderr)
	}
}

func TestWhatIsNoEncryptedMessageIsRefused(t *testing.T) {
	g, keys := commonKeys()
	k := keys[2]
	public, err := os.ReadFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string][]byte{
		"nothing":       nil,
		"text":          []byte("hello, world\n"),
		"zeros":         make([]byte, 1000),
		"random":        append([]byte{0x85}, randomBytes(1000)...),
		"signed only":   g.GPG(t, []byte("x"), "-s", "-u", k.fingerprint),
		"a public key":  public,
		"armored key":   g.GPG(t, nil, "-a", "--export", k.fingerprint),
		"empty armor":   []byte("-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n"),
		"a long line":   bytes.Repeat([]byte("x"), 1<<20),
		"broken base64": []byte("-----BEGIN PGP MESSAGE-----\n\n!!!!\n-----END PGP MESSAGE-----\n"),
	} {
		r := pgpipe(t, bytes.NewReader(input), "-d", "-k", k.secret)
		if r.status != cli.Integrity || len(r.stdout) > 0 {
			t.Errorf("%s: status %d, stdout %q, %s", name, r.status, r.stdout, r.stderr)
		}
	}
	symmetric := g.GPG(t, []byte("x"), "--passphrase", "word", "-c")
	r := pgpipe(t, bytes.NewReader(symmetric), "-d", "-k", k.secret)
	if r.status != cli.Failed || !strings.Contains(r.stderr, "hint: use gpg -d") {
		t.Errorf("symmetric: status %d, %s", r.status, r.stderr)
	}
	r = pgpipe(t, bytes.NewReader(mustPgpipe(t, nil, "-R", keys[0].public)), "-d", "-k", k.secret)
	if r.status != cli.Failed || !strings.Contains(r.stderr, "none of them is in") {
		t.Errorf("another's key: status %d, %s", r.status, r.stderr)
	}
}

func TestFailedReadsAndWritesAreNoCleanEnd(t *testing.T) {
	_, keys := commonKeys()
	k := keys[2]
	sealed := mustPgpipe(t, randomBytes(100000), "-R", k.public)
	broken := errors.New("connection lost")
	for name, args := range map[string][]string{"encrypt": {"-R", k.public}, "armor": {"-a", "-R", k.public}, "decrypt": {"-d", "-k", k.secret}} {
		in := io.MultiReader(bytes.NewReader(sealed[:1000]), iotest.ErrReader(broken))
		r := pgpipe(t, in, args...)
		if r.status != cli.Failed || !strings.Contains(r.stderr, "read stdin: connection lost") {
			t.Errorf("%s: read error: status %d, %s", name, r.status, r.stderr)
		}
		if name != "decrypt" {
			if d := pgpipe(t, bytes.NewReader(r.stdout), "-d", "-k", k.secret); d.status != cli.Integrity {
				t.Errorf("%s: what was written before the read error decrypts: status %d", name, d.status)
			}
		}
		for writes := range 2 {
			var diag bytes.Buffer
			err := run(context.Background(), args, cli.Streams{In: bytes.NewReader(sealed), Out: &failingWriter{left: writes}, Err: &diag})
			if writes == 0 && (cli.ExitStatus(err) != cli.Failed || !strings.Contains(err.Error(), "write stdout: disk full")) {
				t.Errorf("%s: write error: %v", name, err)
			}
			if writes == 1 && name == "encrypt" && err == nil {
				t.Errorf("%s: failure of the second write: no error", name)
			}
		}
	}
}

func TestALateInterruptEndsIt(t *testing.T) {
	_, keys := commonKeys()
	ctx, cancel := context.WithCancel(context.Background())
	in, upstream := io.Pipe() // never written to: the read blocks
	defer upstream.Close()
	started := &recordingReader{r: in}
	done := make(chan error)
	go func() {
		done <- run(ctx, []string{"-R", keys[2].public}, cli.Streams{In: started, Out: io.Discard, Err: io.Discard})
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecrypt(f *testing.F) {
	secrets := &secretKeys{}
	if _, err := secrets.add(seed(f, "secret.pgp")); err != nil {
		f.Fatal(err)
	}
	ring, err := parseKeyFile("seed", seed(f, "armored.asc"))
	if err != nil {
		f.Fatal(err)
	}
	recipients, err := findRecipients(ring, nil, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		f.Fatal(err)
	}
	for _, armored := range []bool{false, true} {
		var out bytes.Buffer
		m := message{to: recipients, armored: armored}
		if err := m.encrypt(&out, strings.NewReader("seed")); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := decrypter{secrets: secrets}
		var out bytes.Buffer
		// Anybody can encrypt to a public key, but no fuzzer by chance.
		if err := d.decrypt(&out, bytes.NewReader(data)); err == nil && out.String() != "seed" {
			t.Fatalf("decrypted something else: %q", out.Bytes())
		}
	})
}
