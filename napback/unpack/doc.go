// Package unpack reads archives back:
//
//  1. s3get reads an archive, and writes each chunk once it is verified.
//  2. pgpipe decrypts it with a key file, or gpg, which gets only what is
//     encrypted (CopySealed).
//  3. Its compressor decompresses it.
//  4. Of a directory, the guard passes on what tar can extract safely (package
//     guard). Members are counted here, or tar takes them (package restore).
//
// If the key turns out to need a passphrase, and there is somebody to ask, the
// chain is run again: nothing has come out of it before.
package unpack
