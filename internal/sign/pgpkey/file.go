package pgpkey

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ProtonMail/gopenpgp/v2/armor"

	"napback/internal/cli"
)

// Bounds on what is read.
const (
	MaxKeyring = 64 << 20 // a keyring with any number of keys
	MaxKeyFile = 8 << 20  // an export of a few keys
	maxArmor   = 16 << 20 // one armored block
	maxBlocks  = 10_000   // armored blocks
)

// Blocks returns the packets in the contents of a key file: binary ones, or
// those of any number of armored blocks.
func Blocks(data []byte) ([][]byte, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	case data[0]&0x80 != 0:
		return [][]byte{data}, nil
	}
	return armored(data)
}

var (
	armorBegin = []byte("-----BEGIN PGP ")
	armorEnd   = []byte("\n-----END PGP ")
)

func armored(text []byte) ([][]byte, error) {
	var blocks [][]byte
	for {
		i := bytes.Index(text, armorBegin)
		if i < 0 {
			break
		}
		text = text[i:]
		kind, _, _ := bytes.Cut(text[len("-----BEGIN "):], []byte("-----"))
		switch string(kind) {
		case "PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK":
		default:
			return nil, fmt.Errorf("holds a %s, not keys", cli.Safe(string(kind[:min(len(kind), 40)])))
		}
		end := bytes.Index(text, armorEnd)
		if end < 0 {
			return nil, errors.New("armor: it is cut off, the last line is missing")
		}
		if line := bytes.IndexByte(text[end+1:], '\n'); line >= 0 {
			end += line + 1
		} else {
			end = len(text) - 1
		}
		if len(blocks) == maxBlocks {
			return nil, fmt.Errorf("armor: more than %d blocks", maxBlocks)
		}
		if end > maxArmor {
			return nil, fmt.Errorf("armor: a block is larger than %s", cli.FormatSize(maxArmor))
		}
		packets, err := armor.Unarmor(string(text[:end+1]))
		if err != nil {
			return nil, fmt.Errorf("armor: %w", err)
		}
		blocks = append(blocks, packets)
		text = text[end+1:]
	}
	if len(blocks) == 0 {
		return nil, errors.New("holds no OpenPGP keys")
	}
	return blocks, nil
}

// WithSecretHint tells how to make a file of a secret key.
func WithSecretHint(err error) error {
	return cli.WithHint(err, "export it with `gpg --export-secret-keys KEY > FILE`")
}

// WithCardHint tells why a key file may lack what it seems to hold.
func WithCardHint(err error) error {
	return cli.WithHint(err, "the file only says that a secret key is on a smart card, which GnuPG can use: gpg -d or gpg -s")
}
