package main

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"
)

// A Symmetrically Encrypted Integrity Protected Data packet, version 1
// (RFC 9580, section 5.13.1), holds
//
//	version | CFB( 16 random bytes, the last two of them again | packets | D3 14 SHA-1 )
//
// where SHA-1 (the Modification Detection Code) is taken over all plaintext
// before it. This file writes and reads it; what is inside is the library's.

const (
	seipdTag      = 0xC0 | 18
	seipdVersion  = 1
	seipdPrefix   = aes.BlockSize + 2
	mdcSize       = 2 + sha1.Size
	seipdChunkLog = 18
	seipdChunk    = 1 << seipdChunkLog // bytes of plaintext handled at a time, and of a partial packet
)

var (
	mdcHeader = [2]byte{0xC0 | 19, sha1.Size}

	errTruncated = errors.New("the message is cut off")
	errModified  = errors.New("the message was modified or damaged: its modification detection code does not match")
	errClosed    = errors.New("write after the end of the message")
)

// seipdWriter encrypts what is written to it. Close ends the packet; without
// it nobody can decrypt the message without an error.
type seipdWriter struct {
	body  *partialWriter
	cfb   *cfb
	mdc   hash.Hash
	plain []byte // not yet encrypted, less than seipdChunk
	spare []byte // the buffer before, which may still be hashed
	out   []byte
	wait  func() // ends the hashing of spare
	err   error  // sticky
}

// newSEIPDWriter starts a packet on w, with an AES key.
func newSEIPDWriter(w io.Writer, key []byte) (*seipdWriter, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s := &seipdWriter{
		body:  newPartialWriter(w, seipdTag),
		cfb:   newCFB(block),
		mdc:   sha1.New(),
		plain: make([]byte, seipdPrefix, seipdChunk+mdcSize),
		spare: make([]byte, 0, seipdChunk+mdcSize),
		out:   make([]byte, seipdChunk+mdcSize),
		wait:  func() {},
	}
	rand.Read(s.plain[:aes.BlockSize]) // never fails
	copy(s.plain[aes.BlockSize:], s.plain[aes.BlockSize-2:aes.BlockSize])
	_, err = s.body.Write([]byte{seipdVersion})
	return s, err
}

func (s *seipdWriter) Write(p []byte) (int, error) {
	written := 0
	for s.err == nil && len(p) > 0 {
		n := min(len(p), seipdChunk-len(s.plain))
		s.plain = append(s.plain, p[:n]...)
		p = p[n:]
		written += n
		if len(s.plain) == seipdChunk {
			s.flush()
		}
	}
	return written, s.err
}

// flush encrypts the buffered plaintext while another goroutine hashes it,
// which may last until the next flush.
func (s *seipdWriter) flush() {
	s.wait()
	s.wait = hashBehind(s.mdc, s.plain)
	s.encrypt()
	s.plain, s.spare = s.spare[:0], s.plain
}

func (s *seipdWriter) encrypt() {
	out := s.out[:len(s.plain)]
	s.cfb.encrypt(out, s.plain)
	_, s.err = s.body.Write(out)
}

// Close writes the modification detection code and ends the packet. It does
// not close the writer below.
func (s *seipdWriter) Close() error {
	if s.err != nil {
		return s.err
	}
	s.wait()
	s.plain = append(s.plain, mdcHeader[:]...)
	s.mdc.Write(s.plain)
	s.plain = s.mdc.Sum(s.plain)
	if s.encrypt(); s.err != nil {
		return s.err
	}
	s.err = errClosed
	return s.body.Close()
}

// partialWriter frames a packet body of unknown length: partial lengths of
// seipdChunk, then the rest with its definite length (RFC 9580, section 4.2.1).
type partialWriter struct {
	w   io.Writer
	buf []byte // [tag] length body; the header is put before the body in place
	tag byte   // 0 once written
}

// headerRoom is the longest header before a body: tag and five-octet length.
const headerRoom = 6

func newPartialWriter(w io.Writer, tag byte) *partialWriter {
	return &partialWriter{w: w, tag: tag, buf: make([]byte, headerRoom, headerRoom+seipdChunk)}
}

func (p *partialWriter) Write(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		n := min(len(b), cap(p.buf)-len(p.buf))
		p.buf = append(p.buf, b[:n]...)
		b = b[n:]
		written += n
		if len(p.buf) == cap(p.buf) {
			if err := p.emit([]byte{0xE0 | seipdChunkLog}); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// Close writes the last piece, which may be empty.
func (p *partialWriter) Close() error {
	return p.emit(definiteLength(len(p.buf) - headerRoom))
}

// emit writes the buffered body behind its length in one call.
func (p *partialWriter) emit(length []byte) error {
	start := headerRoom - len(length)
	copy(p.buf[start:], length)
	if p.tag != 0 {
		start--
		p.buf[start] = p.tag
		p.tag = 0
	}
	_, err := p.w.Write(p.buf[start:])
	p.buf = p.buf[:headerRoom]
	return err
}

// definiteLength is the length of a new-format packet.
func definiteLength(n int) []byte {
	switch {
	case n < 192:
		return []byte{byte(n)}
	case n < 8384:
		return []byte{byte((n-192)>>8) + 192, byte(n - 192)}
	default:
		return []byte{0xFF, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
}

// seipdReader decrypts the body of a version 1 packet, after its version. It
// returns io.EOF only once the modification detection code has been found
// right; until then what it delivers is unauthenticated.
type seipdReader struct {
	body  io.Reader
	cfb   *cfb
	mdc   hash.Hash
	in    []byte
	plain []byte // decrypted; the last mdcSize bytes are held back
	out   []byte // the part of plain that Read may deliver
	wait  func() // ends the hashing of out
	err   error  // sticky
}

// newSEIPDReader returns a reader of the packets inside, for an AES key.
func newSEIPDReader(body io.Reader, key []byte) (*seipdReader, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	s := &seipdReader{
		body:  body,
		cfb:   newCFB(block),
		mdc:   sha1.New(),
		in:    make([]byte, seipdChunk),
		plain: make([]byte, 0, mdcSize+seipdChunk),
		wait:  func() {},
	}
	s.fill()
	if len(s.out) < seipdPrefix {
		if s.err == nil || s.err == io.EOF {
			s.err = errTruncated
		}
		return nil, s.err
	}
	s.out = s.out[seipdPrefix:] // hashed, but not for the reader
	return s, nil
}

func (s *seipdReader) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.fill()
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// fill decrypts the next piece, and lets another goroutine hash what becomes
// deliverable while the caller works on it.
func (s *seipdReader) fill() {
	s.wait()
	n, err := readFull(s.body, s.in)
	held := append(s.plain[:0], s.plain[max(0, len(s.plain)-mdcSize):]...)
	s.plain = held[:len(held)+n]
	s.cfb.decrypt(s.plain[len(held):], s.in[:n])
	if len(s.plain) < mdcSize {
		s.out, s.err = nil, errTruncated
		return
	}
	s.out = s.plain[:len(s.plain)-mdcSize]
	s.wait = hashBehind(s.mdc, s.out)
	switch {
	case err == io.EOF:
		s.err = s.checkMDC()
	case err != nil:
		s.err = err
	}
}

// checkMDC returns io.EOF if the bytes held back are the right code.
func (s *seipdReader) checkMDC() error {
	s.wait()
	code := s.plain[len(s.plain)-mdcSize:]
	s.mdc.Write(code[:2])
	if !bytes.Equal(code[:2], mdcHeader[:]) || subtle.ConstantTimeCompare(s.mdc.Sum(nil), code[2:]) != 1 {
		return errModified
	}
	return io.EOF
}

// hashBehind adds b to h in another goroutine. The function it returns waits
// for that.
func hashBehind(h hash.Hash, b []byte) (wait func()) {
	done := make(chan struct{})
	go func() {
		h.Write(b)
		close(done)
	}()
	return func() { <-done }
}

// readFull fills p. Unlike io.ReadFull it keeps a clean end (io.EOF) apart
// from a packet that was cut short (io.ErrUnexpectedEOF).
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w in the middle of a packet", errTruncated)
	}
	return n, err
}
