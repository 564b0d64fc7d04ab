// Package restore brings back what a chain of archives stored, and writes nowhere
// else. Of a directory (Tree):
//
//  1. Choose: the PATHs that are wanted are found in the lists of the increments,
//     which tell from which archive to take each (select.go).
//  2. Plan: the destination is an empty directory, or in place the file system
//     itself. Then what tar would delete there is foretold, and has to be
//     confirmed (deletions.go, inplace.go).
//  3. What is in the way of the next archive's directories is removed, and no link
//     is followed (room.go, package nofollow).
//  4. Guard: each archive is read, verified, decrypted and decompressed (package
//     unpack), and only what tar can extract safely is let through (package guard).
//  5. Extract: tar, which can write only below the destination (package confine),
//     takes it, oldest first, and deletes what each next archive says is gone.
//     Hard links to files outside of the PATHs get their contents by reading the
//     archive once more (links.go).
//
// Of what is no tree, such as the dump of a database or a repository (Stream):
//
//  1. Kinds without DIFF have one FULL; the streams of a FULL and its DIFFs, one
//     after the other, are one.
//  2. Where it goes is checked: a file that does not exist; or, to be loaded, what
//     the kind's source.Loader says, such as a server without this database.
//  3. To be loaded, each is read once before, if the Loader has to know what is in
//     it, such as the roles that it needs. Nothing has been loaded then.
//  4. Each archive is read, verified, decrypted, decompressed, and written or
//     loaded, by one chain of processes, oldest first.
//
// A restore succeeds only if every stage of every chain has. After a failure the
// destination is in between, and the error says so.
package restore
