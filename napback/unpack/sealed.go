package unpack

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// maxSealedHead bounds what stands before the encrypted data of a message: a
// packet of half a kilobyte for each recipient.
const maxSealedHead = 1 << 20

// CopySealed copies an OpenPGP message that is not armored from r to w, unless it
// begins with something else than session keys and encrypted data. Then it is an
// error with the code cli.Integrity, and nothing is written.
func CopySealed(w io.Writer, r io.Reader) error {
	in := bufio.NewReaderSize(r, maxSealedHead)
	head, err := in.Peek(maxSealedHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the archive: %w", err)
	}
	if !isSealed(head) {
		return cli.Errorf(cli.Integrity, "refused: the archive is not an encrypted OpenPGP message, although its manifest says so")
	}
	if _, err := io.Copy(w, in); err != nil {
		return fmt.Errorf("pass the archive on: %w", err)
	}
	return nil
}

// isSealed reports whether a message begins with session keys (of type 1 or 3,
// RFC 9580) and then has encrypted data (9, 18 or 20).
func isSealed(data []byte) bool {
	for keys := 0; len(data) > 0 && data[0]&0x80 != 0; {
		tag := data[0] & 0x3f
		if data[0]&0x40 == 0 {
			tag >>= 2
		}
		switch tag {
		case 9, 18, 20:
			return keys > 0
		case 1, 3:
			keys++
		case 10: // a marker, which means nothing
		default:
			return false
		}
		_, rest, err := pgpkey.Next(data)
		if err != nil {
			return false
		}
		data = rest
	}
	return false
}
