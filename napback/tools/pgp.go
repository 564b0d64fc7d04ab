package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

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

// Recipient is a key that a job is encrypted to.
type Recipient struct {
	Fingerprint string
	UserID      string     `json:"user_id"` // as the key has it
	Expires     *time.Time // nil = never
}

// CheckRecipients returns the fingerprints of the keys that a job is encrypted to.
// say gets the lines that pgpipe says about them.
func CheckRecipients(ctx context.Context, k programs.Kit, job *config.Job, say func(line string)) ([]string, error) {
	all, err := RecipientsOf(ctx, k, job, say)
	var fingerprints []string
	for _, r := range all {
		fingerprints = append(fingerprints, r.Fingerprint)
	}
	return fingerprints, err
}

// RecipientsOf returns the keys that a job is encrypted to. say gets the lines that
// pgpipe says about them.
func RecipientsOf(ctx context.Context, k programs.Kit, job *config.Job, say func(line string)) ([]Recipient, error) {
	stage, err := k.Tool("pgpipe", append([]string{"--check", "--json"}, recipientFlags(&job.Settings)...))
	if err != nil {
		return nil, cli.WithCode(cli.Usage, err)
	}
	out, _, err := k.Output(ctx, stage, func(_, line string) { say(line) })
	if bad := new(chain.Error); errors.As(err, &bad) { // pgpipe has said why
		code := cli.Usage
		if exitedWith(err, cli.NotFound) {
			code = cli.NotFound
		}
		return nil, cli.Errorf(code, "recipients of %s cannot be encrypted to; nothing was started", job)
	}
	if err != nil {
		return nil, err
	}
	return readRecipients(out)
}

// readRecipients reads the output of `pgpipe --check --json`.
func readRecipients(output []byte) ([]Recipient, error) {
	var all []Recipient
	for line := range strings.Lines(string(output)) {
		var key Recipient
		if err := json.Unmarshal([]byte(line), &key); err != nil || key.Fingerprint == "" {
			return nil, fmt.Errorf("read what pgpipe --check says: %q", line)
		}
		all = append(all, key)
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
