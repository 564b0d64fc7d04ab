package tar

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// fileSystem returns what identifies the file system that a file is on, or "" if
// that cannot be told. It asks the file itself, as names in the table of mounts
// may be missing (in a chroot that of the root is) or be those of others. The
// answer outlives a reboot, after which devices may have other numbers:
//
//   - The kernel's identification, which ext4, Btrfs, ZFS, tmpfs and others make of
//     a UUID. Btrfs has another one for each subvolume.
//   - For one on a server, or in another process, what is mounted.
//   - Where the identification is only the number of the device (XFS), the inode
//     and time of birth of the top directory: that of the making of the file system.
//   - Else that number. Should it change, everything is stored again.
func fileSystem(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ""
	}
	var f unix.Statfs_t
	x, err := statx(real)
	if err != nil || unix.Statfs(real, &f) != nil {
		return ""
	}
	kind := fmt.Sprintf("%x", uint32(f.Type))
	fsid := uint64(uint32(f.Fsid.Val[0])) | uint64(uint32(f.Fsid.Val[1]))<<32
	if fsid != 0 && fsid != deviceFsid(x) {
		return fmt.Sprintf("%s id %016x", kind, fsid)
	}
	if m, ok := mountOf(x); ok && remote(m.kind) {
		return fmt.Sprintf("%s %s of %s", kind, m.kind, m.source)
	}
	if top, err := topOf(real, x); err == nil && top.Mask&unix.STATX_BTIME != 0 {
		return fmt.Sprintf("%s top %d of %d.%09d", kind, top.Ino, top.Btime.Sec, top.Btime.Nsec)
	}
	return fmt.Sprintf("%s device %d:%d", kind, x.Dev_major, x.Dev_minor)
}

func statx(path string) (*unix.Statx_t, error) {
	var x unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME|unix.STATX_MNT_ID, &x)
	return &x, err
}

// deviceFsid is the identification of a file system that has none of its own: the
// device's number as the kernel packs it.
func deviceFsid(x *unix.Statx_t) uint64 {
	return uint64(x.Dev_minor&0xff | x.Dev_major<<8 | x.Dev_minor&^0xff<<12)
}

// topOf returns the highest directory above path that is on the same file system.
func topOf(path string, x *unix.Statx_t) (*unix.Statx_t, error) {
	for path != "/" {
		path = filepath.Dir(path)
		above, err := statx(path)
		if err != nil {
			return nil, err
		}
		if above.Dev_major != x.Dev_major || above.Dev_minor != x.Dev_minor {
			break
		}
		x = above
	}
	return x, nil
}

// mountOf finds the mount that a file is on in the table, by its number.
func mountOf(x *unix.Statx_t) (found mountPoint, ok bool) {
	if x.Mask&unix.STATX_MNT_ID == 0 {
		return found, false
	}
	for _, m := range mountTable() {
		if m.id == x.Mnt_id {
			found, ok = m, true
		}
	}
	return found, ok
}

// remote tells kinds of file systems that are known by their source alone.
func remote(kind string) bool {
	prefixes := []string{"nfs", "cifs", "smb", "fuse", "9p", "ceph", "afs", "autofs", "virtiofs"}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(kind, prefix) })
}

// steadyTimes tells, of what fileSystem returned, that it is of a kind whose
// ctimes never go back, whatever programs do.
func steadyTimes(identity string) bool {
	// ext4, XFS, Btrfs, ZFS, F2FS, bcachefs, NFS
	return isOf(identity, "ef53", "58465342", "9123683e", "2fc12fc1", "f2f52010", "ca451a4e", "6969")
}

// fleeting tells, of what fileSystem returned, that it is of a kind that comes
// and goes with programs, and whose files are kept elsewhere: the merged trees
// of containers (overlay), and images such as those of snaps (squashfs).
func fleeting(identity string) bool { return isOf(identity, "794c7630", "73717368") }

// isOf tells that a file system is of one of these kinds.
func isOf(identity string, kinds ...string) bool {
	kind, _, _ := strings.Cut(identity, " ")
	return slices.Contains(kinds, kind)
}
