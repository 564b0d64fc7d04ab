package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// GnuPG's keybox (pubring.kbx) is a sequence of blobs, all numbers big-endian:
//
//	0  u32  length of the blob, these four bytes included
//	4  u8   type: 0 empty (deleted), 1 header, 2 OpenPGP, 3 X.509
//	5  u8   version of the blob's format
//	6  u16  flags: 1 secret, 2 ephemeral
//	8  u32  OpenPGP: offset of the key block in the blob (header blob: "KBXf")
//	12 u32  OpenPGP: length of the key block
//
// followed by an index, which is not needed here, and a checksum, which GnuPG
// itself neither checks nor keeps up to date when it changes flags. A key
// block holds ordinary OpenPGP packets, which carry their own signatures.

const (
	keyboxMagic     = "KBXf"
	keyboxMinBlob   = 5
	keyboxBlobHead  = 16
	keyboxTypeEmpty = 0
	keyboxTypeHead  = 1
	keyboxTypePGP   = 2
	keyboxEphemeral = 2
)

// isKeybox reports whether data starts with a keybox's header blob.
func isKeybox(data []byte) bool {
	return len(data) >= 12 && data[4] == keyboxTypeHead && string(data[8:12]) == keyboxMagic
}

// keyboxBlocks returns the key block of every OpenPGP key in a keybox, in the
// order of the file. They are parts of data, not copies.
func keyboxBlocks(data []byte) ([][]byte, error) {
	if !isKeybox(data) {
		return nil, errors.New("not a keybox")
	}
	var blocks [][]byte
	for offset := 0; offset < len(data); {
		rest := data[offset:]
		if len(rest) < keyboxMinBlob {
			return nil, fmt.Errorf("keybox: cut off at byte %d", offset)
		}
		size := binary.BigEndian.Uint32(rest)
		if size < keyboxMinBlob || uint64(size) > uint64(len(rest)) {
			return nil, fmt.Errorf("keybox: bad length %d of the blob at byte %d", size, offset)
		}
		block, err := openPGPBlock(rest[:size])
		if err != nil {
			return nil, fmt.Errorf("keybox: blob at byte %d: %w", offset, err)
		}
		if len(blocks) == maxKeys {
			return nil, fmt.Errorf("keybox: more than %d keys", maxKeys)
		}
		if len(block) > 0 {
			blocks = append(blocks, block)
		}
		offset += int(size)
	}
	return blocks, nil
}

// openPGPBlock returns the key block of an OpenPGP blob, and nil for others.
func openPGPBlock(blob []byte) ([]byte, error) {
	if blob[4] != keyboxTypePGP {
		return nil, nil
	}
	if len(blob) < keyboxBlobHead {
		return nil, errors.New("too short")
	}
	if binary.BigEndian.Uint16(blob[6:])&keyboxEphemeral != 0 {
		return nil, nil
	}
	start := uint64(binary.BigEndian.Uint32(blob[8:]))
	length := uint64(binary.BigEndian.Uint32(blob[12:]))
	if start < keyboxBlobHead || start+length > uint64(len(blob)) {
		return nil, errors.New("key block outside of the blob")
	}
	return blob[start : start+length], nil
}
