// Package sign makes and checks OpenPGP signatures, in this process and with
// files of keys only: no GnuPG, no agent, no keyring.
//
// Signing:
//
//  1. OpenSigner reads an exported secret key, judges it for this moment and
//     unlocks its signing key.
//  2. It makes one signature for trial and verifies it by the rules below, so
//     that no key signs what nobody would believe.
//  3. Sign returns a detached signature, as `gpg --detach-sign` makes it.
//
// Verifying:
//
//  1. OpenVerifier reads files of exported public keys.
//  2. Verify accepts data if one of its signatures is good: made by one of the
//     keys, or by a signing subkey that is bound to it and has certified that
//     in turn, with a hash that is not weak, over exactly these bytes, while
//     the key was valid.
//
// When a signature was made is what it says itself. So a key that has expired
// since still verifies old signatures, and the clock of who verifies plays no
// part. A revoked key verifies nothing, whatever the reason or the date of the
// revocation: who has the key can give a signature any date. A signature that
// is made to expire is refused, since backups are read late.
//
// gopenpgp makes detached signatures and checks them. What it does not have is
// done with go-crypto, on which it is built: reading keys and saying why one
// is refused (see package pgpkey), and checking a signature whose data has
// gone by already (VerifyHash), as pgpipe needs for signatures inside
// messages.
package sign
