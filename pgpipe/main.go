// Pgpipe encrypts a stream to OpenPGP keys, or decrypts one, as a filter.
//
// Encryption, in this order, so that nothing is read from stdin and nothing
// written to stdout before all of it can succeed:
//
//  1. The command line is checked (options.go).
//  2. The keys are read: exported ones, pubring.gpg or a keybox (keyfile.go,
//     keybox.go, keyring.go; gnupghome.go finds the user's own keyring).
//  3. Every recipient is found in them and judged (recipient.go, judge.go).
//  4. The signing key, if any, is read and unlocked (internal/sign,
//     passphrase.go).
//  5. stdin becomes one message: a session key packet for each recipient, then
//     an SEIPD version 1 packet (encrypt.go, sign.go, seipd.go, cfb.go).
//
// Decryption:
//
//  1. The secret keys are read (secretkey.go).
//  2. The session key is taken from the message's first packets (decrypt.go).
//  3. The content is written as it comes (content.go), since a stream can only
//     be checked at its end; then the integrity code, the absence of anything
//     behind the message, and the signature decide the exit status.
//
// gopenpgp makes, encrypts and decrypts session keys, writes armor and reads
// that of keys, and signs. What is done with go-crypto, of which it is made, or by
// hand says why where it is done: keys and recipients (package pgpkey), secret keys
// (secretkey.go), armored messages (armor.go), signatures inside messages (sign.go,
// content.go), and the encrypted stream: ours runs 2.5 times as fast, and hands
// out nothing behind a damaged place without an error (seipd.go).
package main

import "napback/internal/cli"

func main() { cli.MainCollecting("pgpipe", run) }
