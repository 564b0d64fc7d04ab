package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"napback/internal/cli"
	"napback/internal/trust"
)

// maxKeyFile bounds what is read of a keyring, a key file or a keybox.
const maxKeyFile = 256 << 20

// maxPassphraseFile bounds what is read of a passphrase file.
const maxPassphraseFile = 64 << 10

// readLimited reads the file at path, which may be a pipe, up to limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, limit)
}

// readPrivate is readLimited for files that hold a secret: one that others
// than its owner can read is refused.
func readPrivate(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := trust.Owner(path, info); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	const others = 0o077
	if runtime.GOOS != "windows" && info.Mode()&fs.ModeCharDevice == 0 && info.Mode().Perm()&others != 0 {
		return nil, cli.WithHint(
			fmt.Errorf("open %q: it holds a secret, but its mode %#o lets others than its owner use it", path, info.Mode().Perm()),
			"chmod 600 %s", path)
	}
	return readAll(f, path, limit)
}

func readAll(r io.Reader, path string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %q: larger than %s", path, cli.FormatSize(limit))
	}
	return data, nil
}

// keyBlocks returns the OpenPGP packets in the contents of a key file: a
// keybox, binary packets as in pubring.gpg, or any number of armored blocks.
func keyBlocks(data []byte) ([][]byte, error) {
	switch {
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	case isKeybox(data):
		return keyboxBlocks(data)
	case data[0]&0x80 != 0:
		return [][]byte{data}, nil
	}
	return armoredBlocks(data)
}

var armorBegin = []byte("-----BEGIN PGP ")

func armoredBlocks(text []byte) ([][]byte, error) {
	var blocks [][]byte
	for {
		i := bytes.Index(text, armorBegin)
		if i < 0 {
			break
		}
		block, err := armor.Decode(bytes.NewReader(text[i:]))
		if err != nil {
			return nil, fmt.Errorf("armor: %w", err)
		}
		switch block.Type {
		case "PGP PUBLIC KEY BLOCK", "PGP PRIVATE KEY BLOCK":
		default:
			return nil, fmt.Errorf("holds a %s, not keys", block.Type)
		}
		packets, err := io.ReadAll(block.Body)
		if err != nil {
			return nil, fmt.Errorf("armor: %w", err)
		}
		blocks = append(blocks, packets)
		text = text[i+len(armorBegin):]
	}
	if len(blocks) == 0 {
		return nil, errors.New("holds no OpenPGP keys")
	}
	return blocks, nil
}
