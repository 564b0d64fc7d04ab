// Package archive stores byte streams as archives: numbered chunks, their
// SHA-256 sums and, written last, the manifest whose existence commits them.
// It knows nothing of S3: it works on a Store, which is one bucket.
//
// The objects of one run of an archive (see napback-archive(7)):
//
//	NAME:RUN:0000000000000   chunk 0, the first chunk_bytes bytes of the stream
//	NAME:RUN:0000000000001   chunk 1, and so on; only the last may be shorter
//	NAME:RUN:SHA256SUMS      a line for each chunk, as sha256sum prints it
//	NAME:RUN:manifest.sig    a detached signature of the manifest, if there is one
//	NAME:RUN:manifest        small JSON; its existence commits the run
//
// How a stream is put (Put):
//
//  1. The runs of the name are listed, and the new run gets an identifier
//     greater than all of them that are plausible (see Implausible), by the
//     host's clock, or by the store's if the two are a day apart.
//  2. The stream is read into a bounded set of buffers of one chunk each. As
//     a buffer fills, a worker hashes it and stores it under its number.
//     No object is ever overwritten.
//  3. After end of input, and when every chunk is stored, the producer is
//     asked whether it succeeded. Unless it did, nothing is committed.
//  4. SHA256SUMS is stored. Everything is listed and compared with what was
//     sent, so that nothing that somebody removed meanwhile is committed.
//  5. The manifest's signature is stored, if there is a Signer, and then the
//     manifest. That is the commit.
//  6. Everything is counted once more, because step 5 can take days. If
//     something is gone the manifest is taken back, and the put fails.
//  7. Of the runs that were listed in step 1, those are removed that are
//     older, plausible and of the same owner; and, as RemoveIncomplete does,
//     those without a manifest whose newest object is older than StaleAfter.
//
// A failure in steps 2 to 4 removes the chunks that were stored. Once step 5
// has begun they stay, because a manifest whose answer was lost may have been
// stored all the same, and then the archive is whole; unless every try was
// refused, or the last one was and a look shows that there is no manifest.
//
// How an incomplete run is removed (RemoveIncomplete):
//
//  1. A claim is stored in the manifest's place. If that is taken by a manifest
//     the run has been committed, and stays. If a claim is there it is taken over.
//  2. Everything else of the run is removed. A writer that is still at work
//     cannot store its manifest now.
//  3. The claim is removed. A writer that stores its manifest after that counts
//     what is gone in step 6, and takes it back.
//
// How an archive is got (Get):
//
//  1. The manifest of the newest committed run that is plausible is read and
//     checked. Through Trusting, runs that are not signed by a wanted key do
//     not exist.
//  2. SHA256SUMS is read and checked against the manifest.
//  3. Chunks are fetched, several at a time, each whole into a buffer, and
//     checked against their sum. Only then are they written, in order.
//
// Caveats: 32 bytes of memory are needed for each chunk of the stream (more than
// 8 MiB of them count against the memory). Of a name with more than MaxRuns runs
// none is read or cleaned up, though Put still stores. An archive's integrity
// rests on its manifest: without a signature whoever may write to the bucket can
// replace both. Encryption belongs to the stream.
package archive
