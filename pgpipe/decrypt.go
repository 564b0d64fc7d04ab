package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/ProtonMail/gopenpgp/v2/crypto"

	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/sign/pgpkey"
)

// maxSessionKeys bounds the session key packets that are kept of a message.
const maxSessionKeys = 1000

var errTrailing = errors.New("something follows the end of the message")

// decrypter is how a message is to be decrypted.
type decrypter struct {
	secrets *secretKeys
	unlock  func(*packet.PrivateKey) error
	signers *sign.Verifier // nil: signatures are not looked at
}

// decrypt writes the content of the message in src to dst. What it has
// written is authentic only if it returns nil. Errors that the message is to
// blame for have the code cli.Integrity.
func (d *decrypter) decrypt(dst io.Writer, src io.Reader) error {
	in, err := dearmor(src)
	if err != nil {
		return integrity(err)
	}
	h, err := readHead(in)
	if err != nil {
		return integrity(err)
	}
	session, opener, err := d.sessionKey(h)
	if err != nil {
		return err
	}
	body, err := openBody(h.sealed, session)
	if err != nil {
		return integrity(err)
	}
	inside := &sticky{r: body}
	c := &content{dst: dst, signers: d.signers, opener: opener.primary}
	if err := c.copy(inside); err != nil {
		if inside.err != nil && inside.err != io.EOF {
			err = inside.err // the cause of what the parser stumbled over
		}
		return integrity(err)
	}
	switch _, err := in.ReadByte(); err {
	case io.EOF:
		return nil
	case nil:
		return integrity(errTrailing)
	default:
		return integrity(err)
	}
}

func integrity(err error) error {
	return cli.WithCode(cli.Integrity, fmt.Errorf("decrypt: %w", err))
}

// dearmor returns the packets in src, which may be armored.
func dearmor(src io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(src, copyBuffer)
	first, err := in.Peek(1)
	switch {
	case err == io.EOF:
		return nil, errors.New("the input is empty")
	case err != nil:
		return nil, err
	case first[0]&0x80 != 0:
		return in, nil
	}
	decoder, err := newArmorReader(in)
	if err != nil {
		return nil, err
	}
	return bufio.NewReaderSize(decoder, copyBuffer), nil
}

// head is what a message begins with.
type head struct {
	keys        []sessionKeyPacket
	passphrases bool                       // it can be opened with a passphrase, too
	sealed      packet.EncryptedDataPacket // of which the body is not yet read
}

// sessionKeyPacket is a session key, encrypted to one key.
type sessionKeyPacket struct {
	*packet.EncryptedKey
	raw []byte
}

// Bounds on the packets that are kept whole. A session key for RSA with 16384
// bits, or a signature by it, takes 2 kB.
const maxSmallPacket = 64 << 10

func readHead(in *bufio.Reader) (*head, error) {
	h := &head{}
	for h.sealed == nil {
		tag, err := nextTag(in)
		if err == io.EOF {
			return nil, errTruncated
		}
		if err != nil {
			return nil, err
		}
		switch {
		case tag == tagSessionKey:
			err = h.addKey(in)
		case tag == tagPassphrase:
			h.passphrases = true
			_, err = smallPacket(in)
		case tag == tagSealed || tag == tagSEIPD || tag == tagAEAD:
			err = h.open(in)
		case ignorable(tag):
			err = skipPacket(in)
		default:
			err = errors.New("the input is not an encrypted OpenPGP message")
		}
		if err != nil {
			return nil, err
		}
	}
	return h, nil
}

// addKey reads a session key packet. One of a kind that the library does not
// know is for somebody else.
func (h *head) addKey(in io.Reader) error {
	p, err := smallPacket(in)
	if err != nil {
		return err
	}
	parsed, err := p.Parse()
	if _, unsupported := err.(pgperrors.UnsupportedError); unsupported {
		return nil
	}
	if err != nil {
		return err
	}
	k, ok := parsed.(*packet.EncryptedKey)
	if !ok {
		return errors.New("the input is not an encrypted OpenPGP message")
	}
	var raw bytes.Buffer
	if err := p.Serialize(&raw); err != nil {
		return err
	}
	if h.keys = append(h.keys, sessionKeyPacket{k, raw.Bytes()}); len(h.keys) > maxSessionKeys {
		return errors.New("too many recipients")
	}
	return nil
}

// open reads an encrypted packet up to its body.
func (h *head) open(in io.Reader) error {
	p, err := packet.Read(in)
	if err != nil {
		return err
	}
	switch p := p.(type) {
	case *packet.SymmetricallyEncrypted:
		if !p.IntegrityProtected {
			return errors.New("the message has no integrity protection (no MDC)")
		}
		h.sealed = p
	case *packet.AEADEncrypted:
		h.sealed = p
	}
	return nil
}

// sessionKey opens one of the session key packets. Keys that need no
// passphrase are tried first.
func (d *decrypter) sessionKey(h *head) (*crypto.SessionKey, secretKey, error) {
	type pair struct {
		packet sessionKeyPacket
		key    secretKey
	}
	var pairs, last []pair
	for _, p := range h.keys {
		for _, k := range d.secrets.matching(p.EncryptedKey) {
			if k.Encrypted {
				last = append(last, pair{p, k})
			} else {
				pairs = append(pairs, pair{p, k})
			}
		}
	}
	pairs = append(pairs, last...)
	if len(pairs) == 0 {
		return nil, secretKey{}, d.noSecretKey(h)
	}
	var locked, failed error
	for _, c := range pairs {
		if c.key.Encrypted {
			if err := d.unlock(c.key.PrivateKey); err != nil {
				locked = err
				continue
			}
		}
		session, err := openSessionKey(c.packet.raw, c.key)
		if err == nil {
			return session, c.key, nil
		}
		failed = err
	}
	if locked != nil {
		return nil, secretKey{}, locked
	}
	return nil, secretKey{}, integrity(fmt.Errorf("the session key does not open: %w", failed))
}

func openSessionKey(packet []byte, key secretKey) (*crypto.SessionKey, error) {
	ring, err := pgpkey.Opener(key.PrivateKey)
	if err != nil {
		return nil, err
	}
	return ring.DecryptSessionKey(packet)
}

func (d *decrypter) noSecretKey(h *head) error {
	var ids []string
	for _, p := range h.keys {
		ids = append(ids, fmt.Sprintf("%016X", p.KeyId))
	}
	switch {
	case len(ids) == 0 && h.passphrases:
		return cli.WithHint(errors.New("decrypt: the message is encrypted with a passphrase, which is not supported"), "use gpg -d")
	case len(ids) == 0:
		return integrity(errors.New("the message has no session key that can be read"))
	}
	err := fmt.Errorf("decrypt: the message is for the keys %s; none of them is in %q", strings.Join(ids, ", "), d.secrets.path)
	if d.secrets.cards {
		err = pgpkey.WithCardHint(err)
	}
	return err
}

// openBody returns a reader of the packets inside an encrypted packet that
// ends with io.EOF only once their integrity has been confirmed. The fast
// path is for what pgpipe and gpg write; the library reads the rest.
func openBody(sealed packet.EncryptedDataPacket, session *crypto.SessionKey) (io.Reader, error) {
	cipher, err := session.GetCipherFunc()
	if err != nil {
		return nil, err
	}
	var contents *io.Reader
	switch p := sealed.(type) {
	case *packet.SymmetricallyEncrypted:
		if p.Version == seipdVersion && isAES(cipher) && len(session.Key) == cipher.KeySize() {
			return newSEIPDReader(p.Contents, session.Key)
		}
		contents = &p.Contents
	case *packet.AEADEncrypted:
		contents = &p.Contents
	default:
		return nil, errors.New("unknown kind of encrypted packet")
	}
	packetBody := &sticky{r: *contents}
	*contents = packetBody
	body, err := sealed.Decrypt(cipher, session.Key)
	if err != nil {
		return nil, err
	}
	return &libraryReader{body, packetBody}, nil
}

func isAES(c packet.CipherFunction) bool {
	return c == packet.CipherAES128 || c == packet.CipherAES192 || c == packet.CipherAES256
}

// sticky is a reader that remembers how reading ended. After an error it never
// reads on.
type sticky struct {
	r   io.Reader
	err error
}

func (v *sticky) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.r.Read(p)
	v.err = err
	return n, err
}

// libraryReader makes one of the library's readers, which check integrity in
// Close and may take a packet that is cut short for one that ends, check all
// of it before it says io.EOF.
type libraryReader struct {
	body   io.ReadCloser
	packet *sticky
}

func (l *libraryReader) Read(p []byte) (int, error) {
	n, err := l.body.Read(p)
	if err != io.EOF {
		return n, err
	}
	if err := l.body.Close(); err != nil {
		return n, err
	}
	if _, err := l.packet.Read(make([]byte, 1)); err != io.EOF {
		return n, errTruncated
	}
	return n, io.EOF
}
