//go:build unix

package drill

import (
	"errors"
	"io/fs"
	"syscall"
)

// read takes what only the system tells.
func (l *look) read(info fs.FileInfo) error {
	raw, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.ErrUnsupported
	}
	l.mode, l.uid, l.gid, l.device, l.changed = uint32(raw.Mode), raw.Uid, raw.Gid, uint64(raw.Rdev), changed(raw)
	return nil
}
