// Package guard stands between what came out of a bucket and the tar that
// extracts it. Whoever can write to the bucket can write archives, and tar, as
// root, does what they say. The guard copies a tar stream and lets through only
// what our own tar writes when it backs up one directory; at anything else it
// stops, and names the member.
//
// It promises, for a directory that held no link in the way when the first
// archive of a chain was extracted (the caller checks the source and what is
// above it, package nofollow), that tar
// neither makes, changes nor removes anything outside of the source:
//
//   - It judges an allow-list, not a list of tricks. What it does not know is
//     refused, so that a trick would have to be made of what our tar writes.
//   - tar gets the very bytes that were judged, and nothing of a member's header
//     before all of it was judged, except for extended headers, which tar does
//     not act on before the member's own header has come. Numbers and records
//     are taken in one form only, that of GNU tar, and the lists of regions of
//     sparse files must add up, so that both agree where each header begins.
//   - Every member is the source, or lies in a directory that is a member of the
//     same archive and came before it. An incremental archive, FULL or DIFF, has
//     all directories of its source.
//   - Every directory but the source is on the list that its parent has of
//     itself, as a directory. tar deletes what is on disk under that name and is
//     none when it extracts the parent. So a symbolic link that an earlier
//     archive or a user has put there is gone before tar looks for the
//     directory, and no second member may turn a directory into a link.
//   - The lists of directories hold names, each once, and no notes of tar's on
//     renames, which can name any path. (napback makes none: see package
//     snapshot.)
//   - A hard link leads to a name inside of the source, through directories of
//     the same archive.
//
// Thus it needs to know nothing of earlier archives or of the disk, and is not
// troubled by tar's lagging behind: all that it relies on was passed to tar
// before, in the same stream.
//
// It remembers a number of 64 bits for each directory, keyed so that nobody can
// choose names of equal numbers, and nothing for files. Lists of directories of
// any length are passed on while they are read. Contents are copied unseen.
package guard
