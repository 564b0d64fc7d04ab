// Package drill proves that backups can be restored, by restoring them. A drill of a
// job (Drill.Job):
//
//  1. A scratch directory is made that only its user may enter. Whatever happens, it
//     is removed again; only a kill leaves it.
//  2. The archives are restored into it as people do it (package restore): those of
//     a Directory as files; those of a database or repository are loaded into a
//     throw-away server or repository there (source.Trial), where its programs are
//     installed, and are else read to their end.
//  3. Where the archives are this host's own, files are compared with the source, as
//     far as they have not changed since, in both directions (type comparison).
//  4. What was proved is told, and noted in the job's account.
//
// A drill needs the secret key. It writes to nothing but its scratch directory and
// the account.
package drill
