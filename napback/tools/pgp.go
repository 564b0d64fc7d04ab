package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/programs"
)

// recipientFlags are pgpipe's flags for the recipients of a job.
func recipientFlags(s *config.Settings) []string {
	var flags []string
	for _, r := range s.GpgRecipients {
		flags = append(flags, "-r", r)
	}
	return append(flags, given("--keyring", s.GpgKeyring)...)
}

// Recipients identifies a job's set of recipients: jobs of one set are encrypted to
// the same keys.
func Recipients(s *config.Settings) string { return strings.Join(recipientFlags(s), "\x00") }

// ErrRecipients tells that a set of recipients cannot be encrypted to. pgpipe has
// said why.
var ErrRecipients = errors.New("they cannot be encrypted to")

// CheckRecipients returns the fingerprints of the keys that a job is encrypted to.
// say gets the lines that pgpipe says about them.
func CheckRecipients(ctx context.Context, k programs.Kit, set *config.Settings, say func(line string)) ([]string, error) {
	stage, err := k.Tool("pgpipe", append([]string{"--check", "--json"}, recipientFlags(set)...))
	if err != nil {
		return nil, cli.WithCode(cli.Usage, err)
	}
	out, _, err := k.Output(ctx, stage, func(_, line string) { say(line) })
	var bad *chain.Error
	switch {
	case exitedWith(err, cli.NotFound):
		return nil, cli.WithCode(cli.NotFound, ErrRecipients)
	case errors.As(err, &bad):
		return nil, cli.WithCode(cli.Usage, ErrRecipients)
	case err != nil:
		return nil, err
	}
	return fingerprints(out)
}

// fingerprints reads the output of `pgpipe --check --json`.
func fingerprints(output []byte) ([]string, error) {
	var all []string
	for line := range strings.Lines(string(output)) {
		var key struct{ Fingerprint string }
		if err := json.Unmarshal([]byte(line), &key); err != nil || key.Fingerprint == "" {
			return nil, fmt.Errorf("read what pgpipe --check says: %q", line)
		}
		all = append(all, key.Fingerprint)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("pgpipe --check names no key")
	}
	return all, nil
}

// Encrypt is the stage that encrypts to a job's recipients.
func Encrypt(k programs.Kit, set *config.Settings) (chain.Stage, error) {
	return k.Tool("pgpipe", recipientFlags(set))
}

// DecryptWithFile is the stage that decrypts with a secret key in a file. With no
// passphrase file a locked key makes it end with the status cli.Passphrase: it has
// no terminal to ask on.
func DecryptWithFile(k programs.Kit, key, passphraseFile string) (chain.Stage, error) {
	s, err := k.Tool("pgpipe", append([]string{"-d", "-k", key}, given("--passphrase-file", passphraseFile)...))
	s.NoTerminal = true
	return s, err
}

// WantsPassphrase tells whether a chain failed because the key of DecryptWithFile is
// locked.
func WantsPassphrase(err error) bool {
	var failed *chain.Error
	return errors.As(err, &failed) && failed.Cause.Stage == "pgpipe" && exitedWith(err, cli.Passphrase)
}

// DecryptWithGPG are the stages that decrypt with gpg, which knows agents and
// cards, but has to be kept from what is not encrypted.
func DecryptWithGPG(k programs.Kit) ([]chain.Stage, error) {
	path, ok := k.Program("gpg", "gpg2")
	if !ok {
		return nil, cli.WithHint(errors.New("the archive is encrypted, and gpg is not in PATH"), "give the secret key: --secret-key FILE")
	}
	guard, err := k.Hidden(programs.Sealed)
	return []chain.Stage{guard, k.Stage("gpg", path, []string{"--batch", "--quiet", "--decrypt"})}, err
}
