package unpack

import (
	"context"
	"fmt"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/tools"
)

// Key is the key that opens archives.
type Key struct {
	file       string // "" = gpg has it
	passphrase string // file that holds its passphrase; "" = it needs none, as far as is known
	asked      asked  // how a passphrase that was asked for gets to pgpipe
}

// NewKey returns the key in a file, or with "" what gpg has. passphrase is the file
// that holds its passphrase; with "" it is asked for if it needs one. The caller
// closes it.
func NewKey(file, passphrase string) *Key { return &Key{file: file, passphrase: passphrase} }

// InFile tells that the key is in a file.
func (k *Key) InFile() bool { return k.file != "" }

// Close ends what asking has begun.
func (k *Key) Close() { k.asked.close() }

// stages decrypt: pgpipe with a key file, else gpg.
func (k *Key) stages(kit programs.Kit) ([]chain.Stage, error) {
	if k.file == "" {
		return tools.DecryptWithGPG(kit)
	}
	s, err := tools.DecryptWithFile(kit, k.file, k.passphrase)
	return []chain.Stage{s}, err
}

// wanted reports whether a chain failed because the key needs a passphrase that
// can be asked for. pgpipe would ask itself, but the processes of a chain are
// kept from the terminal.
func (k *Key) wanted(err error) bool {
	return k.file != "" && k.passphrase == "" && tools.WantsPassphrase(err) && cli.HasTerminal()
}

// ask asks for the passphrase.
func (k *Key) ask(ctx context.Context) error {
	secret, err := cli.AskSecret(ctx, fmt.Sprintf("Passphrase of %s: ", k.file))
	if err != nil {
		return fmt.Errorf("ask for the passphrase of %q: %w", k.file, err)
	}
	k.passphrase, err = k.asked.open(append(secret, '\n'))
	return err
}
