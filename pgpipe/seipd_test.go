package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// seal returns an SEIPD packet with the given plaintext, written in pieces.
func seal(t *testing.T, key, plain []byte, piece int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := newSEIPDWriter(&out, key)
	if err != nil {
		t.Fatal(err)
	}
	for rest := plain; len(rest) > 0; {
		n := min(piece, len(rest))
		if _, err := w.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{0}); err == nil {
		t.Error("a write after Close succeeded")
	}
	return out.Bytes()
}

// sealedBody returns the body of a sealed packet after its version, as the
// library's framing delivers it.
func sealedBody(t *testing.T, sealed []byte) *packet.SymmetricallyEncrypted {
	t.Helper()
	p, err := packet.Read(bytes.NewReader(sealed))
	if err != nil {
		t.Fatal(err)
	}
	se := p.(*packet.SymmetricallyEncrypted)
	if !se.IntegrityProtected || se.Version != 1 {
		t.Fatalf("version %d, integrity protected %v", se.Version, se.IntegrityProtected)
	}
	return se
}

// boundarySizes are plaintext sizes at which something begins or ends: a
// block, a piece that is encrypted at a time, a partial packet, a length.
func boundarySizes() []int {
	var sizes []int
	for _, edge := range []int{0, 16, 192, 8384, seipdChunk, 2 * seipdChunk} {
		for n := edge - seipdPrefix - mdcSize - 3; n <= edge+3; n++ {
			if n >= 0 {
				sizes = append(sizes, n)
			}
		}
	}
	return sizes
}

func TestSEIPDRoundTripAtEveryBoundary(t *testing.T) {
	key := randomBytes(32)
	random := randomBytes(2*seipdChunk + 100)
	for _, size := range boundarySizes() {
		plain := random[:size]
		sealed := seal(t, key, plain, seipdChunk-1)
		body, err := newSEIPDReader(sealedBody(t, sealed).Contents, key)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: got %d bytes, %v", size, len(got), err)
		}
		library, err := sealedBody(t, sealed).Decrypt(packet.CipherAES256, key)
		if err != nil {
			t.Fatalf("%d bytes: library: %v", size, err)
		}
		if got, err := io.ReadAll(library); err != nil || !bytes.Equal(got, plain) || library.Close() != nil {
			t.Fatalf("%d bytes: library got %d bytes, %v", size, len(got), err)
		}
	}
}

func TestSEIPDReaderReadsTheLibrarysPackets(t *testing.T) {
	key := randomBytes(32)
	for _, size := range []int{0, 1, 1000, seipdChunk + 1} {
		plain := randomBytes(size)
		var sealed bytes.Buffer
		w, err := packet.SerializeSymmetricallyEncrypted(&sealed, packet.CipherAES256, false, packet.CipherSuite{}, key, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(plain)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		contents := iotest.OneByteReader(sealedBody(t, sealed.Bytes()).Contents)
		body, err := newSEIPDReader(contents, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: got %d bytes, %v", size, len(got), err)
		}
	}
}

func TestSEIPDReaderEndsOnlyWithTheRightCode(t *testing.T) {
	key := randomBytes(32)
	sealed := seal(t, key, randomBytes(100), 100)
	const header = 3 // tag, length, version
	body := sealed[header:]
	read := func(body []byte) error {
		r, err := newSEIPDReader(bytes.NewReader(body), key)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, r)
		return err
	}
	if err := read(body); err != nil {
		t.Fatal(err)
	}
	for i := range body {
		damaged := bytes.Clone(body)
		damaged[i] ^= 1
		if err := read(damaged); !errors.Is(err, errModified) {
			t.Errorf("byte %d flipped: %v", i, err)
		}
		if err := read(body[:i]); err == nil {
			t.Errorf("cut after %d bytes: no error", i)
		}
	}
	if err := read(append(bytes.Clone(body), 0)); !errors.Is(err, errModified) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestSEIPDWriterReportsAFailedWrite(t *testing.T) {
	for _, after := range []int{0, 1} {
		w, err := newSEIPDWriter(&failingWriter{left: after}, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		_, werr := w.Write(make([]byte, 3*seipdChunk))
		if cerr := w.Close(); werr == nil || cerr == nil {
			t.Errorf("after %d writes: write: %v, close: %v", after, werr, cerr)
		}
	}
}

// failingWriter takes a few writes and then no more.
type failingWriter struct{ left int }

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.left == 0 {
		return 0, errors.New("disk full")
	}
	f.left--
	return len(p), nil
}
