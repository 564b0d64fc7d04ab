// Package store keeps immutable objects in buckets, on AWS, on any service
// that speaks S3, or in a directory of this machine. It satisfies
// archive.Store.
//
// It promises:
//
//   - An object that Put has acknowledged is durable and holds exactly the
//     bytes whose SHA-256 was announced. No object is ever overwritten.
//   - An object is there whole or not at all, whatever is killed and whenever.
//   - What may pass is tried again, by one policy (retry.go). What cannot fails
//     at once, in one line that says what, where and why.
//   - Everything ends promptly when its context ends.
//   - What a service says is bounded, in memory and in time (answer.go, conn.go);
//     no redirect is followed, and a listing yields only keys that were asked for.
//   - No secret is in an error, a log line or a recover command.
//
// Put on S3:
//
//  1. The body is rewound and sent with If-None-Match: *, its exact length and
//     its SHA-256, which is signed and so checked by the service, and stored as
//     the metadata sha256.
//  2. Success ends it. A refusal for good fails. After anything else
//     it waits and starts again; if the answer was lost, the object may be
//     there by now.
//  3. A 412 says that the key is taken. HEAD tells by size and metadata (by
//     the bytes, where a service drops metadata) whether that is our object:
//     success, or archive.ErrExist. Credentials that may not look count an
//     answer that was lost in this Put as stored, unless others may take the
//     key too: that is archive.ErrUnknown, as is any other failure after an
//     answer that was lost.
//  4. Where a service does not know If-None-Match, HEAD goes before PUT. Two
//     writers of one key could then overwrite each other; archives never
//     write one key twice.
//
// Put into a directory:
//
//  1. The bytes go to a file in the bucket's .napback-tmp, which no key and no
//     listing shows; size and SHA-256 are checked; fsync.
//  2. Missing parent directories are created, each with fsync of the one above.
//  3. link(2) gives the file its name and fails if that is taken: then the
//     bytes are compared. Without hard links a lock, a look and rename(2) do it.
//  4. fsync of the directory. The temporary name is removed; what a writer
//     that died leaves there is removed after 48 hours.
//
// Get on S3:
//
//  1. GET tells the size and the ETag, and the body is read as the caller asks.
//  2. When the connection breaks, or moves no byte for two minutes, the rest
//     is asked for with Range and If-Match. Every 64 KiB that arrive start
//     the count of tries anew.
//
// A directory maps keys to paths byte for byte. It cannot hold both a and a/b,
// nor what the file system refuses: FAT, exFAT and Windows take no colon.
// Names that differ only in letter case are one on file systems that ignore it.
package store
