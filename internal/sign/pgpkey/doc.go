// Package pgpkey reads files of OpenPGP keys that somebody else may have made,
// and hands single keys to gopenpgp.
//
//  1. internal/trust returns a file's bytes, up to a limit.
//  2. Blocks finds the blocks of packets, also in text.
//  3. Split cuts a block into keys without parsing them, so that one key that
//     is not understood harms no other and memory is the file's size.
//  4. Key.Entity parses one key, without what others say of it: attributes and
//     certifications by other keys, which may be any number.
//  5. Ring gives gopenpgp one key or subkey alone, for one purpose.
//
// Entities are those of go-crypto, of which gopenpgp's keys are made.
// gopenpgp's own reader refuses a whole key because of one subkey or
// signature that it does not understand, and its keys answer "expired" or
// "revoked" for this moment only; what is asked here is for which reason, and
// at which moment.
//
// Everything has a bound: a packet, a key, the keys of a file. A packet of
// unknown length (partial or indeterminate) has no place among keys and is
// damage.
package pgpkey
