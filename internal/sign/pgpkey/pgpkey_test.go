package pgpkey

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// pkt is a packet with a five-octet length.
func pkt(tag byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0xC0 | tag, 0xFF}, uint32(len(body))), body...)
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func seed(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../../pgpipe/testdata/keys", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// seedPackets is a key with its user id and self-signatures.
func seedPackets(t testing.TB) []byte {
	t.Helper()
	blocks, err := Blocks(seed(t, "armored.asc"))
	if err != nil {
		t.Fatal(err)
	}
	return blocks[0]
}

func TestNextReadsEveryKindOfHeader(t *testing.T) {
	for _, size := range []int{0, 1, 191, 192, 193, 255, 256, 8383, 8384, 65535, 65536} {
		body := bytes.Repeat([]byte{7}, size)
		old := func(kind byte, octets int) []byte {
			b := binary.BigEndian.AppendUint32(nil, uint32(size))
			return cat([]byte{0x80 | 6<<2 | kind}, b[4-octets:], body)
		}
		packets := [][]byte{pkt(6, body), old(2, 4)}
		if size < 192 {
			packets = append(packets, cat([]byte{0xC6, byte(size)}, body))
		} else if size < 8384 {
			packets = append(packets, cat([]byte{0xC6, byte((size-192)>>8) + 192, byte(size - 192)}, body))
		}
		if size < 256 {
			packets = append(packets, old(0, 1))
		}
		if size < 65536 {
			packets = append(packets, old(1, 2))
		}
		for _, raw := range packets {
			p, rest, err := Next(cat(raw, []byte("rest")))
			if err != nil || p.Tag != 6 || !bytes.Equal(p.Body, body) || !bytes.Equal(p.Raw, raw) || string(rest) != "rest" {
				t.Errorf("%d bytes, %x: tag %d, %d bytes, rest %q, %v", size, raw[:min(6, len(raw))], p.Tag, len(p.Body), rest, err)
			}
			for cut := 1; cut < min(len(raw), 8); cut++ {
				if _, _, err := Next(raw[:cut]); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%d bytes cut after %d: %v", size, cut, err)
				}
			}
		}
	}
}

func TestPacketsWithoutALengthAreDamage(t *testing.T) {
	for name, data := range map[string][]byte{
		"partial":         {0xC6, 0xE1, 1, 2, 0},
		"indeterminate":   {0x80 | 6<<2 | 3, 1, 2},
		"no packet":       {0x06, 1, 2},
		"4 GiB announced": {0xC6, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1},
	} {
		if _, _, err := Next(data); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
		if keys, err := Split(data); err == nil {
			t.Errorf("%s: %v", name, keys)
		}
	}
}

func TestWhatOthersSayOfAKeyIsLeftOut(t *testing.T) {
	own := seedPackets(t)
	keys, err := Split(own)
	if err != nil || len(keys) != 1 {
		t.Fatal(len(keys), err)
	}
	plain, err := keys[0].Own()
	if err != nil {
		t.Fatal(err)
	}
	// The seed's own self-signature, said to be by another key.
	var foreign []byte
	seen := map[byte]bool{}
	var withOthers []byte
	for data := own; len(data) > 0; {
		p, rest, err := Next(data)
		if err != nil {
			t.Fatal(err)
		}
		if p.Tag == TagSignature && !seen[TagSignature] {
			print, _ := keys[0].Entity()
			foreign = bytes.ReplaceAll(p.Raw, print.PrimaryKey.Fingerprint[12:], []byte("somebody"))
			withOthers = append(withOthers, p.Raw...)
			for range 2000 { // more than a key may have of its own
				withOthers = append(withOthers, foreign...)
			}
			withOthers = append(withOthers, pkt(tagAttribute, make([]byte, 10<<20))...)
			withOthers = append(withOthers, foreign...)
			withOthers = append(withOthers, p.Raw...)
		} else {
			withOthers = append(withOthers, p.Raw...)
		}
		seen[p.Tag] = true
		data = rest
	}
	if bytes.Equal(foreign, nil) || len(withOthers) < 10<<20 {
		t.Fatal("the seed has no signature")
	}
	keys, err = Split(withOthers)
	if err != nil || len(keys) != 1 {
		t.Fatal(len(keys), err)
	}
	got, err := keys[0].Own()
	if err != nil || len(got) > len(plain)+10 {
		t.Errorf("%d bytes, want %d: %v", len(got), len(plain), err)
	}
	e, err := keys[0].Entity()
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range e.Identities {
		if len(id.SelfCertifications) != 1 || len(id.OtherCertifications) > 0 {
			t.Errorf("user id %q has %d and %d certifications", name, len(id.SelfCertifications), len(id.OtherCertifications))
		}
	}
}

func TestAKeyThatIsTooLargeHarmsNoOther(t *testing.T) {
	good := seedPackets(t)
	primary, _, err := Next(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"user id":      cat(primary.Raw, pkt(TagUserID, make([]byte, maxUserID+1))),
		"key":          pkt(TagPublicKey, make([]byte, maxKeyPacket+1)),
		"subkey":       cat(primary.Raw, pkt(TagPublicSubkey, make([]byte, maxKeyPacket+1))),
		"many ids":     cat(primary.Raw, bytes.Repeat(pkt(TagUserID, make([]byte, 1000)), 1100)),
		"revocations":  cat(primary.Raw, bytes.Repeat(pkt(TagSignature, make([]byte, 1000)), 1100)),
		"not a packet": pkt(TagPublicKey, []byte{4}),
	} {
		keys, err := Split(cat(bad, good, bad))
		if err != nil || len(keys) != 3 {
			t.Errorf("%s: %d keys, %v", name, len(keys), err)
			continue
		}
		if _, err := keys[0].Entity(); err == nil {
			t.Errorf("%s: it is read", name)
		}
		if _, err := keys[1].Entity(); err != nil {
			t.Errorf("%s: the key behind it: %v", name, err)
		}
		if ids := keys[1].UserIDs(); len(ids) == 0 {
			t.Errorf("%s: the key behind it has no user id", name)
		}
		keys[0].Describe()
	}
	if keys, err := Split(bytes.Repeat([]byte{0xC6, 0}, maxKeys+1)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestArmorIsBoundedAndWhole(t *testing.T) {
	good := seed(t, "armored.asc")
	blocks, err := Blocks(cat([]byte("a note\n"), good, []byte("\nanother\r\n"), good))
	if err != nil || len(blocks) != 2 || !bytes.Equal(blocks[0], blocks[1]) {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
	begin := []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")
	line := append(bytes.Repeat([]byte("A"), 64), '\n')
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"no end":     {cat(begin, bytes.Repeat(line, 10)), "cut off"},
		"cut":        {bytes.TrimSpace(good)[:len(good)/2], "cut off"},
		"too large":  {cat(begin, bytes.Repeat(line, maxArmor/len(line)+1), []byte("-----END PGP PUBLIC KEY BLOCK-----\n")), "larger than"},
		"a message":  {[]byte("-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----\n"), "holds a PGP MESSAGE, not keys"},
		"other text": {[]byte("hello"), "no OpenPGP keys"},
		"nothing":    {nil, "empty"},
	} {
		if blocks, err := Blocks(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d blocks, %v; want %q", name, len(blocks), err, c.want)
		}
	}
}

// FuzzSplit compares with the library's reader, which knows packets of unknown
// length, too.
func FuzzSplit(f *testing.F) {
	f.Add(seed(f, "pubring.gpg"))
	f.Add(seed(f, "secret.pgp"))
	f.Add(seedPackets(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tags []byte
		var bodies [][]byte
		for rest := data; ; {
			p, more, err := Next(rest)
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
			if len(p.Raw)+len(more) != len(rest) {
				t.Fatalf("%d bytes became %d and %d", len(rest), len(p.Raw), len(more))
			}
			tags, bodies, rest = append(tags, p.Tag), append(bodies, p.Body), more
		}
		reader := packet.NewOpaqueReader(bytes.NewReader(data))
		for i := range tags {
			p, err := reader.Next()
			if err != nil || p.Tag != tags[i] || !bytes.Equal(p.Contents, bodies[i]) {
				t.Fatalf("packet %d: the library reads %+v, %v", i, p, err)
			}
		}
		keys, err := Split(data)
		if err != nil {
			return
		}
		primaries := slices.Collect(func(yield func(byte) bool) {
			for _, tag := range tags {
				if isPrimary(tag) && !yield(tag) {
					return
				}
			}
		})
		if len(keys) != len(primaries) {
			t.Fatalf("%d keys of %d", len(keys), len(primaries))
		}
		for _, k := range keys {
			k.Describe()
			k.Prints()
			if own, err := k.Own(); err == nil && len(own) > maxKey {
				t.Fatalf("%d bytes of a key", len(own))
			}
			k.Entity()
		}
	})
}
