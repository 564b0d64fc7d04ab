// Package tar is the Directory as a source, and GNU tar whole: the command lines
// that create archives and extract them, what tar says while it does, and the
// snapshots by which it knows what is new.
//
//  1. Before a DIFF the snapshot of the last run is compared with the directories
//     as they are (inspection.go): whether the same file systems are mounted, and
//     whether one was rolled back or replaced. tar looks only at names, inode
//     numbers and times, which another disk may have, too.
//  2. tar works on a copy of that snapshot, from which directories are left out
//     that are to be stored whole (reading.go, package snapshot).
//  3. What tar says is judged (report.go): files that changed are warnings, those
//     that it could not read are remembered, and a directory that was renamed
//     meanwhile makes the run begin again.
//  4. A DIFF that would hold some names of a file only is not committed
//     (links_unix.go).
//  5. What the next run has to know is added to the state (remember.go): file
//     systems, mount points, and the files that changed last.
//
// What identifies a file system differs from system to system: filesystem_*.go,
// place_*.go and mounts_*.go are the seam.
package tar
