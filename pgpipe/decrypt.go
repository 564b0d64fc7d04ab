package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
)

// maxSessionKeys bounds the session key packets that are kept of a message.
const maxSessionKeys = 1000

var errTrailing = errors.New("something follows the end of the message")

// decrypter is how a message is to be decrypted.
type decrypter struct {
	secrets *secretKeys
	unlock  func(*packet.PrivateKey) error
	signers openpgp.EntityList // nil: signatures are not looked at
	now     time.Time
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
	inside := &verdict{r: body}
	if err := d.copyContent(dst, inside, opener); err != nil {
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
	keys        []*packet.EncryptedKey
	passphrases bool                       // it can be opened with a passphrase, too
	sealed      packet.EncryptedDataPacket // of which the body is not yet read
}

func readHead(in io.Reader) (*head, error) {
	h := &head{}
	packets := packet.NewReader(in)
	for h.sealed == nil {
		p, err := packets.Next()
		if err == io.EOF {
			return nil, errTruncated
		}
		if err != nil {
			return nil, err
		}
		switch p := p.(type) {
		case *packet.EncryptedKey:
			if h.keys = append(h.keys, p); len(h.keys) > maxSessionKeys {
				return nil, errors.New("too many recipients")
			}
		case *packet.SymmetricKeyEncrypted:
			h.passphrases = true
		case *packet.SymmetricallyEncrypted:
			if !p.IntegrityProtected {
				return nil, errors.New("the message has no integrity protection (no MDC)")
			}
			h.sealed = p
		case *packet.AEADEncrypted:
			h.sealed = p
		default:
			return nil, errors.New("the input is not an encrypted OpenPGP message")
		}
	}
	return h, nil
}

// sessionKey opens one of the session key packets. Keys that need no
// passphrase are tried first.
func (d *decrypter) sessionKey(h *head) (*packet.EncryptedKey, secretKey, error) {
	type pair struct {
		packet *packet.EncryptedKey
		key    secretKey
	}
	var pairs []pair
	for _, p := range h.keys {
		for _, k := range d.secrets.matching(p) {
			pairs = append(pairs, pair{p, k})
		}
	}
	if len(pairs) == 0 {
		return nil, secretKey{}, d.noSecretKey(h)
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return bit(a.key.Encrypted) - bit(b.key.Encrypted) })
	var locked, failed error
	for _, c := range pairs {
		if c.key.Encrypted {
			if err := d.unlock(c.key.PrivateKey); err != nil {
				locked = err
				continue
			}
		}
		if failed = c.packet.Decrypt(c.key.PrivateKey, nil); failed == nil {
			return c.packet, c.key, nil
		}
	}
	if locked != nil {
		return nil, secretKey{}, locked
	}
	return nil, secretKey{}, integrity(fmt.Errorf("the session key does not open: %w", failed))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
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
		err = withCardHint(err)
	}
	return err
}

// openBody returns a reader of the packets inside an encrypted packet that
// ends with io.EOF only once their integrity has been confirmed. The fast
// path is for what pgpipe and gpg write; the library reads the rest.
func openBody(sealed packet.EncryptedDataPacket, session *packet.EncryptedKey) (io.Reader, error) {
	var contents *io.Reader
	switch p := sealed.(type) {
	case *packet.SymmetricallyEncrypted:
		if p.Version == seipdVersion && isAES(session.CipherFunc) && len(session.Key) == session.CipherFunc.KeySize() {
			return newSEIPDReader(p.Contents, session.Key)
		}
		contents = &p.Contents
	case *packet.AEADEncrypted:
		contents = &p.Contents
	default:
		return nil, errors.New("unknown kind of encrypted packet")
	}
	packetBody := &verdict{r: *contents}
	*contents = packetBody
	body, err := sealed.Decrypt(session.CipherFunc, session.Key)
	if err != nil {
		return nil, err
	}
	return &libraryReader{body, packetBody}, nil
}

func isAES(c packet.CipherFunction) bool {
	return c == packet.CipherAES128 || c == packet.CipherAES192 || c == packet.CipherAES256
}

// copyContent writes the literal data among the packets inside, and checks
// the signature if one is wanted.
func (d *decrypter) copyContent(dst io.Writer, inside *verdict, opener secretKey) error {
	md, err := openpgp.ReadMessage(inside, d.signers, nil, pgpConfig(d.now))
	if err != nil {
		return err
	}
	if md.IsEncrypted {
		return errors.New("the message holds another encrypted message")
	}
	if _, err := io.CopyBuffer(onlyWriter{dst}, md.UnverifiedBody, make([]byte, copyBuffer)); err != nil {
		return err
	}
	// Never trust the parser to have read up to the integrity code.
	if _, err := inside.Read(make([]byte, 1)); err != io.EOF {
		if err == nil {
			err = errTrailing
		}
		return err
	}
	if d.signers == nil {
		return nil
	}
	return checkSignature(md, opener)
}

// checkSignature returns why the message has no valid signature by one of
// the wanted keys.
func checkSignature(md *openpgp.MessageDetails, opener secretKey) error {
	switch {
	case !md.IsSigned:
		return errors.New("the message is not signed")
	case md.SignatureError != nil:
		return fmt.Errorf("no valid signature by a wanted key: %w", md.SignatureError)
	case md.Signature == nil || md.SignedBy == nil:
		return errors.New("no valid signature by a wanted key")
	}
	for _, r := range md.Signature.IntendedRecipients {
		if string(r.Fingerprint) == string(opener.primary) {
			return nil
		}
	}
	if len(md.Signature.IntendedRecipients) > 0 {
		return errors.New("the signature was made for other recipients")
	}
	return nil
}

// verdict remembers how reading ended. After an error it never reads on.
type verdict struct {
	r   io.Reader
	err error
}

func (v *verdict) Read(p []byte) (int, error) {
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
	packet *verdict
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

// onlyWriter hides other methods of a writer, so that the buffer is used.
type onlyWriter struct{ io.Writer }
