package main

import (
	"fmt"
	"slices"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
	"napback/internal/trust"
)

// readKeyFile returns all keys in the file at path, each once.
func readKeyFile(path string) ([]*key, error) {
	data, err := trust.Read("read", path, pgpkey.MaxKeyring)
	if err != nil {
		return nil, err
	}
	return parseKeyFile(path, data)
}

func parseKeyFile(path string, data []byte) ([]*key, error) {
	blocks, err := keyBlocks(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	var keys []*key
	for _, block := range blocks {
		more, err := pgpkey.Split(block)
		if err != nil {
			return nil, fmt.Errorf("read %q: damaged after %d keys: %w", path, len(keys), err)
		}
		for _, k := range more {
			keys = append(keys, newKey(k))
		}
		if len(keys) > maxKeys {
			return nil, fmt.Errorf("read %q: more than %d keys", path, maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read %q: holds no OpenPGP keys", path)
	}
	return mergeKeys(keys), nil
}

// readPublicKeys is readKeyFile for encryption. A file with a secret key is
// refused: the host that makes backups is not to hold what opens them.
func readPublicKeys(path string) ([]*key, error) {
	keys, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(keys, (*key).secret) {
		return nil, pgpkey.WithExportHint(fmt.Errorf("read %q: it holds a secret key, and encryption needs only public ones", path))
	}
	return keys, nil
}

// keyBlocks returns the OpenPGP packets in the contents of a key file: a
// keybox, binary packets as in pubring.gpg, or any number of armored blocks.
func keyBlocks(data []byte) ([][]byte, error) {
	if isKeybox(data) {
		return keyboxBlocks(data)
	}
	return pgpkey.Blocks(data)
}

// errTooMany tells of a bound that only a hostile keyring reaches.
func errTooMany(what string, n int) error {
	return cli.WithHint(fmt.Errorf("more than %d %s", n, what), "name the key by its fingerprint, or export it and use -R FILE")
}
