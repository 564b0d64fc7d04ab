package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// OpenPGP packet types of messages (RFC 9580, section 5).
const (
	tagSessionKey = 1
	tagSignature  = 2
	tagPassphrase = 3
	tagOnePass    = 4
	tagCompressed = 8
	tagSealed     = 9 // without integrity protection
	tagMarker     = 10
	tagLiteral    = 11
	tagTrust      = 12
	tagSEIPD      = 18
	tagAEAD       = 20
	tagPadding    = 21
	tagPrivate    = 40 // from here on, of which unknown ones may be passed over
)

// nextTag returns the type of the packet that comes next, and reads nothing.
// It is io.EOF where the packets end.
func nextTag(in *bufio.Reader) (byte, error) {
	first, err := in.Peek(1)
	switch {
	case len(first) == 0:
		return 0, err
	case first[0]&0x80 == 0:
		return 0, errors.New("there is no packet where one should start")
	case first[0]&0x40 == 0:
		return first[0] & 0x3f >> 2, nil
	}
	return first[0] & 0x3f, nil
}

// smallPacket reads a packet that has to be small.
func smallPacket(in io.Reader) (*packet.OpaquePacket, error) {
	limited := &io.LimitedReader{R: in, N: maxSmallPacket}
	p, err := packet.NewOpaqueReader(limited).Next()
	if limited.N == 0 {
		return nil, fmt.Errorf("a packet in front of or behind the content is larger than %d bytes", maxSmallPacket)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w in the middle of a packet", errTruncated)
	}
	return p, err
}

// ignorable reports whether a packet of that type is to be passed over.
func ignorable(tag byte) bool {
	return tag == tagMarker || tag == tagTrust || tag == tagPadding || tag >= tagPrivate
}

// skipPacket reads such a packet and keeps nothing of it.
func skipPacket(in io.Reader) error {
	_, err := packet.Read(in)
	if _, unknown := err.(pgperrors.UnknownPacketTypeError); unknown {
		return nil
	}
	return err
}
