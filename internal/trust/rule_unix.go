//go:build unix

package trust

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"napback/internal/shell"
)

// rule is who is trusted.
type rule struct {
	uid uint32 // of the running user
	top uint32 // whom / belongs to
	// distribution lets groups of the system write to what belongs to root.
	distribution bool
}

func current() rule {
	r := rule{uid: uint32(os.Geteuid())}
	if info, err := os.Stat("/"); err == nil {
		r.top, _ = ids(info)
	}
	return r
}

// ids returns the owner and the group of a file.
func ids(info fs.FileInfo) (uid, gid uint32) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ^uint32(0), ^uint32(0) // not one that is trusted
	}
	return stat.Uid, stat.Gid
}

const (
	usersGroup   = 100  // of all users, where they have no groups of their own
	firstRegular = 1000 // the first id that is not the system's
)

// writers are those who may write to a file but are not trusted, as chmod names
// them: g, o, go or "".
func (r rule) writers(info fs.FileInfo) string {
	who := ""
	uid, gid := ids(info)
	system := r.distribution && uid == 0 && gid < firstRegular && gid != usersGroup
	if info.Mode().Perm()&0o020 != 0 && r.uid == 0 && gid != 0 && !system {
		who = "g"
	}
	if info.Mode().Perm()&0o002 != 0 {
		who += "o"
	}
	return who
}

// shared tells that a directory is writable by a group that is only let in
// as a distribution's.
func (r rule) shared(info fs.FileInfo) bool {
	strict := r
	strict.distribution = false
	return strict.writers(info) != ""
}

// owned refuses what belongs to somebody else.
func (r rule) owned(path string, info fs.FileInfo) error {
	uid, _ := ids(info)
	if uid == 0 || uid == r.uid || uid == r.top {
		return nil
	}
	reason := fmt.Sprintf("belongs to another user (uid %d), who can change it", uid)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return refuse(path, reason, "chown -h root "+shell.Word(path))
	case r.uid != 0:
		return refuse(path, reason, "use a copy that belongs to you or to root, in a directory that does as well")
	case info.IsDir():
		return refuse(path, reason, "chown root "+shell.Word(path)+", or use a path on which only root can write")
	}
	return refuse(path, reason, "chown root "+shell.Word(path))
}

// closed refuses what others can write.
func (r rule) closed(path string, info fs.FileInfo) error {
	var reason string
	who := r.writers(info)
	switch who {
	case "":
		return nil
	case "g":
		_, gid := ids(info)
		reason = fmt.Sprintf("can be written by a group (gid %d, mode %04o)", gid, info.Mode().Perm())
	default:
		reason = fmt.Sprintf("can be written by everyone (mode %04o)", info.Mode().Perm())
	}
	return refuse(path, reason, "chmod "+who+"-w "+shell.Word(path))
}

// above judges a directory on the way to what is asked about.
func (r rule) above(path string, info fs.FileInfo) error {
	if err := r.owned(path, info); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSticky != 0 {
		return nil
	}
	return r.closed(path, info)
}

// leaf judges what is asked about itself.
func (r rule) leaf(path string, info fs.FileInfo) error {
	if err := r.owned(path, info); err != nil {
		return err
	}
	if info.Mode()&fs.ModeCharDevice != 0 { // /dev/null keeps nothing that others write
		return nil
	}
	if info.IsDir() && info.Mode()&fs.ModeSticky != 0 && r.writers(info) != "" {
		return refuse(path, "can be written by others, who could make files in it first", "use a directory of its own, chmod 700")
	}
	return r.closed(path, info)
}

func (r rule) owner(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return nil
	}
	return r.owned(path, info)
}
