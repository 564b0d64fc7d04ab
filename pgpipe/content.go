package main

import (
	"bufio"
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/sign"
)

// content writes what is inside an encrypted packet: one literal data packet,
// perhaps compressed, perhaps between the packets of signatures. The library
// can read that, too, but it keeps every other packet there whole in memory.
// gopenpgp checks a signature in it only while it decrypts by itself, so the hash is
// taken here and internal/sign has the rules.
type content struct {
	dst     io.Writer
	signers *sign.Verifier // nil: signatures are not looked at
	opener  []byte         // the fingerprint of the primary key that opened the message

	signatures []*inlineSignature
	announced  []*inlineSignature // those that still wait for their second packet
	written    bool
}

// Bounds on what a message may hold besides its content.
const (
	maxNested     = 4  // compressed packets inside each other
	maxSignatures = 16 // signatures of one message
)

// inlineSignature is one signature of a message.
type inlineSignature struct {
	onePass *packet.OnePassSignature // nil: the signature itself came first
	hash    hash.Hash
	text    io.Writer // hash, with line ends as they are signed
	packet  *packet.Signature
	unread  error
}

// copy reads all packets of inside. It returns nil only if inside has ended
// properly, and if the signature is good where one is wanted.
func (c *content) copy(inside *sticky) error {
	if err := c.packets(bufio.NewReaderSize(inside, copyBuffer), 0); err != nil {
		return err
	}
	// Never trust a parser to have read up to the integrity code.
	if _, err := inside.Read(make([]byte, 1)); err != io.EOF {
		if err == nil {
			err = errTrailing
		}
		return err
	}
	switch {
	case !c.written:
		return errors.New("the message has no content")
	case c.signers == nil:
		return nil
	}
	return c.checkSignatures()
}

func (c *content) packets(in *bufio.Reader, depth int) error {
	for {
		tag, err := nextTag(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case tag == tagCompressed:
			err = c.compressed(in, depth)
		case tag == tagOnePass || tag == tagSignature:
			err = c.signature(in)
		case tag == tagLiteral:
			err = c.literal(in)
		case tag == tagSessionKey || tag == tagPassphrase || tag == tagSealed || tag == tagSEIPD || tag == tagAEAD:
			err = errors.New("the message holds another encrypted message")
		case ignorable(tag):
			err = skipPacket(in)
		default:
			err = fmt.Errorf("the message holds a packet of type %d, which has no place in it", tag)
		}
		if err != nil {
			return err
		}
	}
}

func (c *content) compressed(in io.Reader, depth int) error {
	if depth == maxNested {
		return fmt.Errorf("the message is compressed more than %d times", maxNested)
	}
	p, err := packet.Read(in)
	if err != nil {
		return err
	}
	return c.packets(bufio.NewReaderSize(p.(*packet.Compressed).Body, copyBuffer), depth+1)
}

func (c *content) literal(in io.Reader) error {
	if c.written {
		return errTrailing
	}
	c.written = true
	p, err := packet.Read(in)
	if err != nil {
		return err
	}
	writers := []io.Writer{c.dst}
	for _, s := range c.signatures {
		if s.text != nil {
			writers = append(writers, s.text)
		}
	}
	_, err = io.CopyBuffer(onlyWriter{io.MultiWriter(writers...)}, p.(*packet.LiteralData).Body, make([]byte, copyBuffer))
	return err
}

// signature reads a packet of a signature: one that announces it, or the
// signature itself. Before the content that is a signature of the old style.
func (c *content) signature(in io.Reader) error {
	p, err := smallPacket(in)
	if err != nil || c.signers == nil {
		return err
	}
	parsed, unread := p.Parse()
	if c.written {
		return c.complete(parsed, unread)
	}
	if len(c.signatures) == maxSignatures {
		return fmt.Errorf("the message has more than %d signatures", maxSignatures)
	}
	s := &inlineSignature{unread: unread}
	switch parsed := parsed.(type) {
	case *packet.OnePassSignature:
		s.onePass = parsed
		if unread == nil && parsed.Version == 3 {
			s.start(parsed.Hash, parsed.SigType)
		}
	case *packet.Signature:
		s.packet = parsed
		if unread == nil && parsed.Version == 4 {
			s.start(parsed.Hash, parsed.SigType)
		}
	}
	if p.Tag == tagOnePass {
		c.announced = append(c.announced, s)
	}
	c.signatures = append(c.signatures, s)
	return nil
}

func (s *inlineSignature) start(h crypto.Hash, kind packet.SignatureType) {
	if !h.Available() {
		return
	}
	s.hash = h.New()
	switch kind {
	case packet.SigTypeBinary:
		s.text = s.hash
	case packet.SigTypeText:
		s.text = openpgp.NewCanonicalTextHash(s.hash)
	}
}

// complete takes a signature packet behind the content: they come in the
// reverse order of those that announced them.
func (c *content) complete(parsed packet.Packet, unread error) error {
	if len(c.announced) == 0 {
		return errTrailing
	}
	s := c.announced[len(c.announced)-1]
	c.announced = c.announced[:len(c.announced)-1]
	sig, ok := parsed.(*packet.Signature)
	switch {
	case s.unread != nil:
	case unread != nil:
		s.unread = unread
	case !ok:
		s.unread = errors.New("a signature is not where it was announced")
	default:
		s.packet = sig
	}
	return nil
}

// checkSignatures returns why the message has no valid signature by one of
// the wanted keys.
func (c *content) checkSignatures() error {
	if len(c.signatures) == 0 {
		return errors.New("the message is not signed")
	}
	var last error
	for _, s := range c.signatures {
		err := s.check(c.signers)
		if err == nil {
			return c.checkRecipients(s.packet)
		}
		last = err
	}
	return fmt.Errorf("no valid signature by a wanted key: %w", last)
}

func (s *inlineSignature) check(signers *sign.Verifier) error {
	switch {
	case s.unread != nil:
		return s.unread
	case s.packet == nil:
		return errors.New("the signature is missing")
	case s.text == nil:
		return errors.New("the signature is of a kind that is not supported")
	case s.onePass != nil && (s.onePass.Hash != s.packet.Hash || s.onePass.SigType != s.packet.SigType):
		return errors.New("the signature is not as announced")
	}
	return signers.VerifyHash(s.hash, s.packet)
}

// checkRecipients refuses a signature that was made for a message to others, and
// that somebody has taken from there.
func (c *content) checkRecipients(sig *packet.Signature) error {
	for _, r := range sig.IntendedRecipients {
		if bytes.Equal(r.Fingerprint, c.opener) {
			return nil
		}
	}
	if len(sig.IntendedRecipients) > 0 {
		return errors.New("the signature was made for other recipients")
	}
	return nil
}

// onlyWriter hides other methods of a writer, so that the buffer is used.
type onlyWriter struct{ io.Writer }
