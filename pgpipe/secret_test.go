package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// protectedKey makes a key with a passphrase and returns its files.
func protectedKey(t *testing.T, opts ...string) (g *gnupg, public, secret, passphrase string) {
	t.Helper()
	const secretWord = "correct horse"
	g = newHome(t)
	print := g.generate(t, "P <p@example.org>", "ed25519", "cv25519", "never", secretWord, opts...)
	public, secret = g.export(t, print, secretWord)
	return g, public, secret, secretWord
}

func TestPassphraseProtectedKeysDecryptAndSign(t *testing.T) {
	for name, opts := range map[string][]string{
		"default":     nil,
		"SHA256/AES":  {"--s2k-digest-algo", "SHA256", "--s2k-cipher-algo", "AES256"},
		"salted only": {"--s2k-mode", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			g, public, secret, word := protectedKey(t, opts...)
			file := g.File(t, []byte(word+"\nsecond line\n"))
			sealed := mustPgpipe(t, []byte("hello"), "-R", public, "--sign", secret, "--passphrase-file", file)
			got := mustPgpipe(t, sealed, "-d", "-k", secret, "--passphrase-file", file, "--verify", public)
			if string(got) != "hello" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestWrongPassphraseFails(t *testing.T) {
	g, public, secret, _ := protectedKey(t)
	wrong := g.File(t, []byte("wrong\n"))
	sealed := mustPgpipe(t, []byte("hello"), "-R", public)
	in := &recordingReader{r: bytes.NewReader([]byte("data"))}
	for _, r := range []result{
		pgpipe(t, bytes.NewReader(sealed), "-d", "-k", secret, "--passphrase-file", wrong),
		pgpipe(t, in, "-R", public, "--sign", secret, "--passphrase-file", wrong),
	} {
		if r.status != cli.Passphrase || !strings.Contains(r.stderr, "wrong passphrase") || len(r.stdout) > 0 {
			t.Errorf("status %d, stdout %q, stderr %s", r.status, r.stdout, r.stderr)
		}
	}
	if in.reads > 0 {
		t.Error("stdin was read although the key could not be unlocked")
	}
}

func TestWithoutATerminalAPassphraseFileIsAskedFor(t *testing.T) {
	_, public, secret, _ := protectedKey(t)
	cmd := exec.Command("setsid", "-w", "pgpipe", "-d", "-k", secret) // no controlling terminal
	cmd.Stdin = bytes.NewReader(mustPgpipe(t, []byte("hello"), "-R", public))
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != cli.Passphrase ||
		!strings.Contains(string(out), "pgpipe: hint: use --passphrase-file FILE\n") {
		t.Errorf("%v, %s", err, out)
	}
}

func TestPassphraseFromTheTerminal(t *testing.T) {
	g, public, secret, word := protectedKey(t)
	sealed := g.File(t, mustPgpipe(t, []byte("hello"), "-R", public))
	// script(1) gives the child a terminal; the passphrase is typed wrongly once.
	cmd := exec.Command("script", "-qec", "pgpipe -d -k "+secret+" < "+sealed+" > "+g.path("out"), "/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	seen := &notify{w: &out, text: "Passphrase for", ch: make(chan struct{}, 10)}
	cmd.Stdout = seen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{"oops\n", word + "\n"} {
		<-seen.ch
		io.WriteString(in, typed)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	got, err := os.ReadFile(g.path("out"))
	if err != nil || string(got) != "hello" || strings.Contains(out.String(), word) {
		t.Errorf("%v, decrypted %q, terminal %q", err, got, out.String())
	}
}

// TestNothingTypedIsAMissingPassphrase: Ctrl-D at the question.
func TestNothingTypedIsAMissingPassphrase(t *testing.T) {
	g, public, secret, _ := protectedKey(t)
	sealed := g.File(t, mustPgpipe(t, []byte("hello"), "-R", public))
	cmd := exec.Command("script", "-qec", "pgpipe -d -k "+secret+" < "+sealed, "/dev/null")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	seen := &notify{w: &out, text: "Passphrase for", ch: make(chan struct{}, 10)}
	cmd.Stdout = seen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-seen.ch
	io.WriteString(in, "\x04")
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() != cli.Passphrase || !strings.Contains(out.String(), "nothing was typed") {
		t.Errorf("%v, terminal %q", err, out.String())
	}
}

// notify sends on ch for each occurrence of text in what is written.
type notify struct {
	w    *bytes.Buffer
	text string
	ch   chan struct{}
}

func (n *notify) Write(p []byte) (int, error) {
	before := bytes.Count(n.w.Bytes(), []byte(n.text))
	n.w.Write(p)
	for range bytes.Count(n.w.Bytes(), []byte(n.text)) - before {
		n.ch <- struct{}{}
	}
	return len(p), nil
}

func TestFilesWithSecretsThatOthersCanReadAreRefused(t *testing.T) {
	g, keys := commonKeys()
	k := keys[2]
	data, err := os.ReadFile(k.secret)
	if err != nil {
		t.Fatal(err)
	}
	loose, word := g.File(t, data), g.File(t, []byte("word"))
	for _, path := range []string{loose, word} {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	locked := func(args ...string) {
		t.Helper()
		in := &recordingReader{r: bytes.NewReader(nil)}
		r := pgpipe(t, in, args...)
		if r.status != cli.Failed || !strings.Contains(r.stderr, "pgpipe: hint: chmod 600 ") || len(r.stdout) > 0 || in.reads > 0 {
			t.Errorf("%q: status %d, %d reads, stdout %q, stderr %s", args, r.status, in.reads, r.stdout, r.stderr)
		}
	}
	locked("-d", "-k", loose)
	locked("-R", k.public, "--sign", loose)
	_, public, secret, _ := protectedKey(t)
	locked("-R", public, "--sign", secret, "--passphrase-file", word)
}

func TestOfflinePrimaryKeyDecrypts(t *testing.T) {
	for _, word := range []string{"", "secret"} {
		g := newHome(t)
		print := g.generate(t, "O <o@example.org>", "ed25519", "cv25519", "never", word)
		public := g.File(t, g.GPG(t, nil, "--export", print))
		subkeys := g.File(t, g.GPG(t, nil, "--passphrase", word, "--export-secret-subkeys", print))
		sealed := mustPgpipe(t, []byte("hello"), "-R", public)
		args := []string{"-d", "-k", subkeys}
		if word != "" {
			args = append(args, "--passphrase-file", g.File(t, []byte(word)))
		}
		if got := mustPgpipe(t, sealed, args...); string(got) != "hello" {
			t.Errorf("got %q", got)
		}
		r := pgpipe(t, strings.NewReader("x"), "-R", public, "--sign", subkeys)
		if r.status != cli.Failed || !strings.Contains(r.stderr, "is not in the file") {
			t.Errorf("signing without the primary key: status %d, %s", r.status, r.stderr)
		}
	}
}

func TestSmartCardStubsSayWhatToDo(t *testing.T) {
	g := newHome(t)
	print := g.generate(t, "C <c@example.org>", "ed25519", "cv25519", "never", "")
	public := g.File(t, g.GPG(t, nil, "--export", print))
	secret := g.GPG(t, nil, "--export-secret-keys", print)
	stubs := g.File(t, cardStubs(t, secret))
	sealed := mustPgpipe(t, []byte("hello"), "-R", public)
	for _, r := range []result{
		pgpipe(t, bytes.NewReader(sealed), "-d", "-k", stubs),
		pgpipe(t, strings.NewReader("x"), "-R", public, "--sign", stubs),
	} {
		if r.status != cli.Failed || !strings.Contains(r.stderr, "smart card") || len(r.stdout) > 0 {
			t.Errorf("status %d, stdout %q, stderr %s", r.status, r.stdout, r.stderr)
		}
	}
}

// cardStubs replaces all secret parts in a key export by GnuPG's note that
// they are on a card with a 16-byte serial number.
func cardStubs(t *testing.T, export []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	reader := packet.NewOpaqueReader(bytes.NewReader(export))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			return out.Bytes()
		}
		if err != nil {
			t.Fatal(err)
		}
		if pgpkey.IsSecret(p.Tag) {
			parsed, err := p.Parse()
			if err != nil {
				t.Fatal(err)
			}
			var public bytes.Buffer
			if err := parsed.(*packet.PrivateKey).PublicKey.SerializeForHash(&public); err != nil {
				t.Fatal(err)
			}
			const hashHead = 3 // 0x99 and a length
			p.Contents = append(bytes.Clone(public.Bytes()[hashHead:]), 255, 0, 101, 0, 'G', 'N', 'U', 2, 16)
			p.Contents = append(p.Contents, make([]byte, 16)...)
		}
		if err := p.Serialize(&out); err != nil {
			t.Fatal(err)
		}
	}
}

// recordingReader counts the reads.
type recordingReader struct {
	r     io.Reader
	reads int
}

func (r *recordingReader) Read(p []byte) (int, error) {
	r.reads++
	return r.r.Read(p)
}
