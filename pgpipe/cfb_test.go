package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"testing"
)

// libraryCFB is the standard library's mode, which is the yardstick for ours.
func libraryCFB(block cipher.Block, encrypt bool, dst, src []byte) {
	iv := make([]byte, aes.BlockSize)
	stream := cipher.NewCFBDecrypter(block, iv) //lint:ignore SA1019 OpenPGP prescribes this mode
	if encrypt {
		stream = cipher.NewCFBEncrypter(block, iv) //lint:ignore SA1019 OpenPGP prescribes this mode
	}
	stream.XORKeyStream(dst, src)
}

func TestCFBIsTheStandardMode(t *testing.T) {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 15, 16, 17, 31, 32, 33, 1 << 12, 1<<12 + 7} {
		src, want, got := make([]byte, size), make([]byte, size), make([]byte, size)
		rand.Read(src)
		for _, encrypt := range []bool{true, false} {
			libraryCFB(block, encrypt, want, src)
			c := newCFB(block)
			step := c.decrypt
			if encrypt {
				step = c.encrypt
			}
			half := size / 2 / aes.BlockSize * aes.BlockSize // whole blocks until the last call
			step(got[:half], src[:half])
			step(got[half:], src[half:])
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes, encrypt %v: differs from the standard library", size, encrypt)
			}
		}
	}
}

func BenchmarkCFB(b *testing.B) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	src, dst := make([]byte, seipdChunk), make([]byte, seipdChunk)
	for name, step := range map[string]func(dst, src []byte){
		"encrypt":         newCFB(block).encrypt,
		"decrypt":         newCFB(block).decrypt,
		"encrypt/library": func(dst, src []byte) { libraryCFB(block, true, dst, src) },
		"decrypt/library": func(dst, src []byte) { libraryCFB(block, false, dst, src) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(seipdChunk)
			for b.Loop() {
				step(dst, src)
			}
		})
	}
}
