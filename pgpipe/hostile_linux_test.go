package main

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/crypto"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// hostile runs pgpipe as a process that may take no more memory than
// tooltest.Bound. What it writes may be much and is not kept.
func hostile(t *testing.T, stdin io.Reader, args ...string) result {
	t.Helper()
	script := []string{"-c", `exec "$0" "$@" >/dev/null`, tooltest.Plain(t, "pgpipe")}
	r := tooltest.Store{Env: os.Environ()}.RunBounded(t, stdin, "sh", append(script, args...)...)
	t.Logf("status %d: %s", r.Code, strings.TrimSpace(r.Err))
	return result{stderr: r.Err, status: r.Code}
}

// longHeader starts a packet of that size.
func longHeader(tag byte, size int64) []byte {
	return binary.BigEndian.AppendUint32([]byte{0xC0 | tag, 0xFF}, uint32(size))
}

// repeat is n times the same bytes.
type repeat struct {
	piece []byte
	n     int
}

func (r repeat) reader() io.Reader {
	// In pieces of a megabyte, so that it is fast.
	many := max(1, (1<<20)/len(r.piece))
	big := bytes.Repeat(r.piece, many)
	return io.LimitReader(&cycle{data: big}, int64(r.n)*int64(len(r.piece)))
}

// cycle reads data over and over.
type cycle struct {
	data []byte
	at   int
}

func (c *cycle) Read(p []byte) (int, error) {
	n := copy(p, c.data[c.at:])
	c.at = (c.at + n) % len(c.data)
	return n, nil
}

func literalReader(b []byte) io.Reader { return bytes.NewReader(b) }

func nothing(size int64) io.Reader { return io.LimitReader(zeros{}, size) }

// writeFile stores a hostile file.
func writeFile(t *testing.T, dir, name string, parts ...io.Reader) string {
	t.Helper()
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, io.MultiReader(parts...)); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyMaterial returns the parts of a key: its primary key packet, user id and
// self-signature, and the signature as another key would make it.
func keyMaterial(t *testing.T, k testKey) (primary, userID, self, foreign []byte) {
	t.Helper()
	data, err := os.ReadFile(k.public)
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 && self == nil {
		p, rest, err := pgpkey.Next(data)
		if err != nil {
			t.Fatal(err)
		}
		switch p.Tag {
		case pgpkey.TagPublicKey:
			primary = p.Raw
		case pgpkey.TagUserID:
			userID = p.Raw
		case pgpkey.TagSignature:
			self = p.Raw
		}
		data = rest
	}
	e := mustEntity(t, newKey(mustSplit(t, append(append(bytes.Clone(primary), userID...), self...))))
	return primary, userID, self, bytes.ReplaceAll(self, e.PrimaryKey.Fingerprint[12:], []byte("somebody"))
}

func mustSplit(t *testing.T, block []byte) pgpkey.Key {
	t.Helper()
	keys, err := pgpkey.Split(block)
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys[0]
}

// TestHostileKeyFilesStayInsideTheMemoryLimit gives every option that reads
// keys what nobody should have to read.
func TestHostileKeyFilesStayInsideTheMemoryLimit(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	_, keys := commonKeys()
	k := keys[2]
	primary, userID, self, foreign := keyMaterial(t, k)
	const most = pgpkey.MaxKeyring - 1<<20
	times := func(piece []byte) io.Reader { return repeat{piece, most / len(piece)}.reader() }
	armorHead := literalReader([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n"))
	line := append(bytes.Repeat([]byte("A"), 64), '\n')
	box := func(piece []byte) []byte {
		return blob(keyboxTypePGP, 0, keyboxBlobHead, uint32(len(piece)), string(piece))
	}
	start := func() io.Reader { return literalReader(append(append(bytes.Clone(primary), userID...), self...)) }
	for name, c := range map[string]struct {
		parts []io.Reader
		every bool // try every option; else those that do most with it
	}{
		"user id of 400 MiB":       {parts: []io.Reader{literalReader(append(bytes.Clone(primary), longHeader(pgpkey.TagUserID, 400<<20)...)), nothing(400 << 20)}},
		"user id of 60 MiB":        {parts: []io.Reader{literalReader(append(bytes.Clone(primary), longHeader(pgpkey.TagUserID, 60<<20)...)), nothing(60 << 20)}, every: true},
		"4 GiB announced":          {parts: []io.Reader{literalReader(append(bytes.Clone(primary), longHeader(pgpkey.TagUserID, 0xFFFFFFFF)...)), nothing(60 << 20)}},
		"partial lengths":          {parts: []io.Reader{literalReader(primary), literalReader([]byte{0xC0 | pgpkey.TagUserID}), times(append([]byte{0xE9}, make([]byte, 512)...))}},
		"certifications":           {parts: []io.Reader{start(), times(foreign)}},
		"self-signatures":          {parts: []io.Reader{start(), times(self)}},
		"empty signatures":         {parts: []io.Reader{start(), times([]byte{0xC2, 0})}},
		"user ids":                 {parts: []io.Reader{start(), times(userID)}, every: true},
		"empty user ids":           {parts: []io.Reader{start(), times([]byte{0xCD, 0})}},
		"photographs":              {parts: []io.Reader{start(), times(append(longHeader(17, 1<<20), make([]byte, 1<<20)...))}},
		"keys":                     {parts: []io.Reader{times(append(append(bytes.Clone(primary), userID...), self...))}, every: true},
		"empty keys":               {parts: []io.Reader{times([]byte{0xC6, 0})}, every: true},
		"copies":                   {parts: []io.Reader{repeat{append(append(bytes.Clone(primary), userID...), self...), 90_000}.reader()}},
		"subkeys":                  {parts: []io.Reader{start(), times(append([]byte{0xC0 | pgpkey.TagPublicSubkey}, primary[1:]...))}},
		"armor without end":        {parts: []io.Reader{armorHead, times(line)}, every: true},
		"large armor":              {parts: []io.Reader{literalReader([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")), times(line), literalReader([]byte("-----END PGP PUBLIC KEY BLOCK-----\n"))}},
		"many armored blocks":      {parts: []io.Reader{times([]byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n\n-----END PGP PUBLIC KEY BLOCK-----\n"))}},
		"keybox":                   {parts: []io.Reader{literalReader(headBlob()), times(box(append(append(bytes.Clone(primary), userID...), self...)))}},
		"keybox with empty blocks": {parts: []io.Reader{literalReader(headBlob()), times(box(nil))}},
		"keybox with user id":      {parts: []io.Reader{literalReader(headBlob()), literalReader(box(append(bytes.Clone(primary), longHeader(pgpkey.TagUserID, 1<<31)...)))}},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, t.TempDir(), "keys", c.parts...)
			options := [][]string{{"-R", path}, {"-d", "-k", k.secret, "--verify", path}}
			if c.every {
				options = append(options, []string{"--keyring", path, "-r", "cv25519@example.org"}, []string{"-R", path, "-r", k.fingerprint},
					[]string{"-d", "-k", path}, []string{"-R", k.public, "--sign", path})
			}
			for _, args := range options {
				if r := hostile(t, strings.NewReader("x"), args...); r.status == cli.OK {
					t.Errorf("%q: it is accepted", args)
				}
			}
		})
	}
}

func TestAnEndlessKeyFileEnds(t *testing.T) {
	r := hostile(t, zeros{}, "-R", "/dev/stdin")
	if r.status != cli.Failed || !strings.Contains(r.stderr, "larger than 67.1 MB") {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

// sealedTo is a message to k, of which inside writes the packets.
func sealedTo(t *testing.T, k testKey, parts ...io.Reader) io.Reader {
	t.Helper()
	to := mustEntity(t, mustReadKey(t, k.public))
	session, err := crypto.GenerateSessionKey()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := pgpkey.Ring(to.PrimaryKey, to.Subkeys[0].PublicKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	head, err := ring.EncryptSessionKey(session)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	t.Cleanup(func() { r.Close() })
	go func() {
		w.Write(head)
		sealed, err := newSEIPDWriter(w, session.Key)
		if err == nil {
			_, err = io.Copy(sealed, io.MultiReader(parts...))
		}
		if err == nil {
			err = sealed.Close()
		}
		w.CloseWithError(err)
	}()
	return r
}

func mustReadKey(t *testing.T, path string) *key {
	t.Helper()
	ring, err := readKeyFile(path)
	if err != nil || len(ring) != 1 {
		t.Fatalf("%d keys, %v", len(ring), err)
	}
	return ring[0]
}

// compress is a compressed packet (ZIP) of indeterminate length around r.
func compress(r io.Reader) io.Reader {
	in, out := io.Pipe()
	go func() {
		out.Write([]byte{0x80 | tagCompressed<<2 | 3, 1})
		z, err := flate.NewWriter(out, flate.BestSpeed)
		if err == nil {
			_, err = io.Copy(z, r)
		}
		if err == nil {
			err = z.Close()
		}
		out.CloseWithError(err)
	}()
	return in
}

// hostileMessage is one that takes much memory, if anything does; ok tells that
// it can be decrypted all the same.
type hostileMessage struct {
	message io.Reader
	ok      bool
}

func hostileMessages(t *testing.T, k testKey) map[string]hostileMessage {
	signed := func(tag byte) []byte {
		var ops bytes.Buffer
		err := (&packet.OnePassSignature{Version: 3, Hash: signatureHash, PubKeyAlgo: packet.PubKeyAlgoEdDSA}).Serialize(&ops)
		if err != nil {
			t.Fatal(err)
		}
		return ops.Bytes()
	}(tagOnePass)
	_, _, self, _ := keyMaterial(t, k)
	text := func() io.Reader { return literalReader([]byte{0xC0 | tagLiteral, 7, 'b', 0, 0, 0, 0, 0, 'x'}) }
	deep := func(times int) io.Reader {
		r := text()
		for range times {
			r = compress(r)
		}
		return r
	}
	const huge = tooltest.Bound + 16<<20 // compressed where it is sealed, which is quicker
	sealed := mustPgpipe(t, nil, "-R", k.public)
	sessionKey := sealed[:endOfSessionKeys(t, sealed)]
	return map[string]hostileMessage{
		"user id first":               {message: io.MultiReader(literalReader(longHeader(pgpkey.TagUserID, huge)), nothing(huge))},
		"user id compressed":          {message: sealedTo(t, k, compress(io.MultiReader(literalReader(longHeader(pgpkey.TagUserID, huge)), nothing(huge), text())))},
		"user id behind":              {message: sealedTo(t, k, text(), compress(io.MultiReader(literalReader(longHeader(pgpkey.TagUserID, huge)), nothing(huge))))},
		"large session key":           {message: io.MultiReader(literalReader(longHeader(tagSessionKey, huge)), nothing(huge))},
		"many session keys":           {message: io.MultiReader(repeat{sessionKey, 1_000_000}.reader(), literalReader(sealed))},
		"large passphrase packet":     {message: io.MultiReader(literalReader(longHeader(tagPassphrase, huge)), nothing(huge))},
		"many passphrase packets":     {message: io.MultiReader(repeat{[]byte{0xC3, 4, 4, 9, 0, 8}, 1_000_000}.reader(), literalReader(sealed)), ok: true},
		"private packet first":        {message: io.MultiReader(literalReader(longHeader(60, huge)), nothing(huge), literalReader(sealed)), ok: true},
		"private packet inside":       {message: sealedTo(t, k, compress(io.MultiReader(literalReader(longHeader(60, huge)), nothing(huge), text()))), ok: true},
		"padding inside":              {message: sealedTo(t, k, compress(io.MultiReader(literalReader(longHeader(tagPadding, huge)), nothing(huge), text()))), ok: true},
		"large signature":             {message: sealedTo(t, k, compress(io.MultiReader(literalReader(longHeader(tagSignature, huge)), nothing(huge), text())))},
		"partial signature":           {message: sealedTo(t, k, compress(io.MultiReader(literalReader([]byte{0xC0 | tagSignature}), repeat{append([]byte{0xE9}, make([]byte, 512)...), huge / 513}.reader())))},
		"many announced signatures":   {message: sealedTo(t, k, repeat{signed, 500_000}.reader(), text())},
		"many signatures first":       {message: sealedTo(t, k, repeat{self, 100_000}.reader(), text())},
		"many signatures behind":      {message: sealedTo(t, k, text(), repeat{self, 100_000}.reader())},
		"compressed 4 times":          {message: sealedTo(t, k, deep(maxNested)), ok: true},
		"compressed 5 times":          {message: sealedTo(t, k, deep(maxNested+1))},
		"compressed 1000 times":       {message: sealedTo(t, k, deep(1000))},
		"two contents":                {message: sealedTo(t, k, text(), text())},
		"no content":                  {message: sealedTo(t, k)},
		"much content, compressed":    {message: sealedTo(t, k, compress(io.MultiReader(literalReader(longHeader(tagLiteral, huge)), literalReader([]byte{'b', 0, 0, 0, 0, 0}), nothing(huge-6)))), ok: true},
		"armor, endless header":       {message: io.MultiReader(literalReader([]byte("-----BEGIN PGP MESSAGE-----\nA: b")), nothing(huge))},
		"armor, many headers":         {message: io.MultiReader(literalReader([]byte("-----BEGIN PGP MESSAGE-----\n")), repeat{[]byte("A: b\n"), 10_000_000}.reader())},
		"armor, a line without end":   {message: io.MultiReader(literalReader([]byte("-----BEGIN PGP MESSAGE-----\n\n")), repeat{[]byte("A"), huge}.reader())},
		"white space before anything": {message: repeat{[]byte("\n"), huge}.reader()},
	}
}

func TestHostileMessagesStayInsideTheMemoryLimit(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	_, keys := commonKeys()
	k := keys[2]
	for name, c := range hostileMessages(t, k) {
		t.Run(name, func(t *testing.T) {
			message := writeFile(t, t.TempDir(), "message", c.message)
			for _, args := range [][]string{{"-d", "-k", k.secret}, {"-d", "-k", k.secret, "--verify", k.public}} {
				f, err := os.Open(message)
				if err != nil {
					t.Fatal(err)
				}
				r := hostile(t, f, args...)
				f.Close()
				verified := len(args) > 3
				switch {
				case c.ok && !verified && r.status != cli.OK:
					t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
				case (!c.ok && !strings.Contains(name, "signature") || verified) && r.status != cli.Integrity:
					t.Errorf("%q: status %d, %s", args, r.status, r.stderr)
				}
			}
		})
	}
}
