package pgpkey

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// OpenPGP packet types that matter here (RFC 9580, section 5).
const (
	TagSignature    = 2
	TagSecretKey    = 5
	TagPublicKey    = 6
	TagSecretSubkey = 7
	TagUserID       = 13
	TagPublicSubkey = 14
	tagAttribute    = 17
)

// Packet is a packet as it stands in a file.
type Packet struct {
	Tag  byte
	Body []byte
	Raw  []byte // with its header
}

// maxKeyPacket bounds the packet of one key: RSA with 16384 bits takes 6 kB.
const maxKeyPacket = 64 << 10

// Next returns the first packet of data, of which it is a part, and the rest.
// It is io.EOF at the end of data.
func Next(data []byte) (Packet, []byte, error) {
	if len(data) == 0 {
		return Packet{}, nil, io.EOF
	}
	if data[0]&0x80 == 0 {
		return Packet{}, nil, errors.New("there is no packet where one should start")
	}
	tag, head, size, err := header(data)
	if err != nil {
		return Packet{}, nil, err
	}
	if size > uint64(len(data)-head) {
		return Packet{}, nil, fmt.Errorf("cut off in a packet: %w", io.ErrUnexpectedEOF)
	}
	end := head + int(size)
	return Packet{tag, data[head:end], data[:end]}, data[end:], nil
}

// Packets yields the packets of data, up to the first error, as Next returns them.
func Packets(data []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		for len(data) > 0 {
			p, rest, err := Next(data)
			if !yield(p, err) || err != nil {
				return
			}
			data = rest
		}
	}
}

// header reads a packet's type, the length of its header and that of its body
// (RFC 9580, section 4.2).
func header(data []byte) (tag byte, head int, size uint64, err error) {
	number := func(from, octets int) uint64 {
		if len(data) < from+octets {
			err = fmt.Errorf("cut off in the header of a packet: %w", io.ErrUnexpectedEOF)
			return 0
		}
		var n uint64
		for _, b := range data[from : from+octets] {
			n = n<<8 | uint64(b)
		}
		return n
	}
	errUnknown := errors.New("a packet of keys says no length")
	if data[0]&0x40 == 0 {
		kind := data[0] & 3
		if kind == 3 {
			return 0, 0, 0, errUnknown
		}
		octets := 1 << kind
		return data[0] & 0x3f >> 2, 1 + octets, number(1, octets), err
	}
	tag = data[0] & 0x3f
	switch first := number(1, 1); {
	case err != nil:
		return 0, 0, 0, err
	case first < 192:
		return tag, 2, first, nil
	case first < 224:
		return tag, 3, (first-192)<<8 + number(2, 1) + 192, err
	case first < 255:
		return 0, 0, 0, errUnknown
	}
	return tag, 6, number(2, 4), err
}

// IsKey reports whether a packet of that type holds a primary key or subkey.
func IsKey(tag byte) bool { return isPrimary(tag) || tag == TagPublicSubkey || tag == TagSecretSubkey }

// IsSecret reports whether a packet of that type holds a secret key.
func IsSecret(tag byte) bool { return tag == TagSecretKey || tag == TagSecretSubkey }

func isPrimary(tag byte) bool { return tag == TagPublicKey || tag == TagSecretKey }

// Parse returns the packet as the library understands it.
func (p Packet) Parse() (packet.Packet, error) { return packet.Read(bytes.NewReader(p.Raw)) }

// fingerprint returns the fingerprint of a key packet, also of a public one
// whose algorithm is unknown, and nothing for other packets.
func (p Packet) fingerprint() string {
	switch {
	case !IsKey(p.Tag) || len(p.Body) == 0 || len(p.Body) > maxKeyPacket:
		return ""
	case !IsSecret(p.Tag) && p.Body[0] == 4:
		h := sha1.New()
		h.Write(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(p.Body))))
		h.Write(p.Body)
		return fmt.Sprintf("%X", h.Sum(nil))
	}
	pub, err := p.public()
	if err != nil || pub == nil {
		return ""
	}
	return fmt.Sprintf("%X", pub.Fingerprint)
}

// public returns the public part of a key packet.
func (p Packet) public() (*packet.PublicKey, error) {
	switch parsed, err := p.Parse(); k := parsed.(type) {
	case *packet.PublicKey:
		return k, err
	case *packet.PrivateKey:
		return &k.PublicKey, err
	default:
		return nil, err
	}
}

// IsCardStub recognises GnuPG's string-to-key type 101, mode 2: the secret
// key is on a smart card (GnuPG's doc/DETAILS, "GNU extensions to the S2K
// algorithm").
func (p Packet) IsCardStub() bool {
	if !IsSecret(p.Tag) {
		return false
	}
	i := bytes.LastIndex(p.Body, []byte("GNU\x02"))
	return i >= 2 && p.Body[i-2] == 101
}
