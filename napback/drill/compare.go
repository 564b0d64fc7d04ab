//go:build unix

package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"napback/internal/cli"
)

// maxFaults is how many faults are named. All are counted.
const maxFaults = 20

// comparison compares a restored directory with the live one that it was made of.
// An entry whose status has changed since the backup began (its ctime, which only
// the clock sets) may be another one now, and is not compared.
type comparison struct {
	restored, live *os.Root
	began          time.Time // of the newest archive
	buffers        [2][]byte

	entries  int64 // that were restored
	bytes    int64 // in their files
	compared int64 // that were found equal
	changed  int64 // have changed in the source since, or are not there any more
	wrong    int64
	faults   []string // the first ones of those that are wrong
}

// fault counts an entry that is not as it should be.
func (c *comparison) fault(name, format string, args ...any) {
	c.wrong++
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, fmt.Sprintf("%q %s", name, fmt.Sprintf(format, args...)))
	}
}

// look is what lstat tells of an entry.
type look struct {
	fs.FileInfo
	mode     uint32 // with its type, as the kernel has it
	uid, gid uint32
	device   uint64
	changed  time.Time
}

func lookAt(root *os.Root, name string) (look, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return look{}, err
	}
	l := look{FileInfo: info}
	return l, l.read(info)
}

// all looks at all that was restored.
func (c *comparison) all(ctx context.Context) error {
	return walk(c.restored, ".", func(name string, err error) error {
		if err != nil && !errors.Is(err, fs.ErrPermission) { // a mode may shut its owner out
			return fmt.Errorf("look at what was restored: %w", err)
		}
		if err != nil || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.entries++
		return c.entry(name)
	})
}

// entry compares one restored entry, if the live one has not changed since.
func (c *comparison) entry(name string) error {
	got, err := lookAt(c.restored, name)
	if err != nil {
		return fmt.Errorf("look at what was restored: %w", err)
	}
	if got.Mode().IsRegular() {
		c.bytes += got.Size()
	}
	if c.live == nil {
		return nil
	}
	want, err := lookAt(c.live, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR):
		c.gone(name)
		return nil
	case err != nil:
		c.changed++ // it cannot be looked at any more
		return nil
	case !want.changed.Before(c.began):
		c.changed++
		return nil
	}
	what, err := c.difference(name, want, got)
	if err != nil {
		return err
	}
	if again, err := lookAt(c.live, name); err != nil || !again.changed.Equal(want.changed) {
		c.changed++ // while it was compared
		return nil
	}
	if what != "" {
		c.fault(name, "%s", what)
		return nil
	}
	c.compared++
	return nil
}

// gone judges a restored entry that the source does not have. What was removed has
// changed the directory that it was in. Where that has not changed the entry was not
// there when the backup was made.
func (c *comparison) gone(name string) {
	dir, err := lookAt(c.live, filepath.Dir(name))
	if err == nil && dir.IsDir() && dir.changed.Before(c.began) {
		c.fault(name, "was restored, and was not in the source when the backup was made")
		return
	}
	c.changed++
}

// difference tells how a restored entry differs from the live one, or "".
func (c *comparison) difference(name string, want, got look) (string, error) {
	const typeOf = unix.S_IFMT
	switch {
	case want.mode&typeOf != got.mode&typeOf:
		return fmt.Sprintf("is %s, and %s in the source", got.Mode().Type(), want.Mode().Type()), nil
	case want.mode&typeOf != unix.S_IFLNK && want.mode != got.mode && !c.ownMode(want, got):
		return fmt.Sprintf("has the mode %o, and %o in the source", got.mode&^uint32(typeOf), want.mode&^uint32(typeOf)), nil
	case os.Geteuid() == 0 && (want.uid != got.uid || want.gid != got.gid):
		return fmt.Sprintf("belongs to %d:%d, and to %d:%d in the source", got.uid, got.gid, want.uid, want.gid), nil
	case !want.ModTime().Equal(got.ModTime()):
		return fmt.Sprintf("was modified at %s, and at %s in the source", got.ModTime().UTC().Format(time.RFC3339Nano), want.ModTime().UTC().Format(time.RFC3339Nano)), nil
	}
	switch want.mode & typeOf {
	case unix.S_IFLNK:
		return c.links(name)
	case unix.S_IFREG:
		if want.Size() != got.Size() {
			return fmt.Sprintf("has %d bytes, and %d in the source", got.Size(), want.Size()), nil
		}
		return c.contents(name)
	case unix.S_IFCHR, unix.S_IFBLK:
		if want.device != got.device {
			return "is another device than in the source", nil
		}
	}
	return "", nil
}

// ownMode tells that two modes differ only where restores by others than root
// cannot make them equal: files of others lose their special bits.
func (c *comparison) ownMode(want, got look) bool {
	const special = unix.S_ISUID | unix.S_ISGID | unix.S_ISVTX
	return os.Geteuid() != 0 && want.mode&^special == got.mode&^special
}

func (c *comparison) links(name string) (string, error) {
	got, err := c.restored.Readlink(name)
	if err != nil {
		return "", err
	}
	if want, err := c.live.Readlink(name); err == nil && want != got {
		return "leads elsewhere than in the source", nil
	}
	return "", nil
}

// contents compares two files of the same size.
func (c *comparison) contents(name string) (string, error) {
	got, err := c.restored.Open(name)
	if err != nil {
		return "", err
	}
	defer got.Close()
	// It may be something else by now, at which opening must not wait.
	want, err := c.live.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", nil // entry sees that it has changed, or its contents are not for us
	}
	defer want.Close()
	if c.buffers[0] == nil {
		c.buffers[0], c.buffers[1] = make([]byte, 1<<20), make([]byte, 1<<20)
	}
	for at := int64(0); ; {
		n, err := io.ReadFull(got, c.buffers[0])
		m, _ := io.ReadFull(want, c.buffers[1])
		if !bytes.Equal(c.buffers[0][:n], c.buffers[1][:m]) {
			return fmt.Sprintf("has other contents than in the source, in the MiB from byte %d on", at), nil
		}
		at += int64(n)
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return "", nil
		default:
			return "", err
		}
	}
}

// missing judges a name that tar would store now. What has not changed since the
// backup, in directories that were there, must have been restored.
func (c *comparison) missing(name string) {
	if _, err := lookAt(c.restored, name); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	now, err := lookAt(c.live, name)
	if err != nil || !now.changed.Before(c.began) {
		return
	}
	// A directory that was moved here has brought it along.
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		if _, err := lookAt(c.restored, dir); err == nil {
			break
		}
		if at, err := lookAt(c.live, dir); err != nil || !at.changed.Before(c.began) {
			return
		}
	}
	if now.mode&unix.S_IFMT == unix.S_IFSOCK {
		return // which no tar stores
	}
	c.fault(name, "was not restored, and was in the source when the backup was made")
}

// inWords tells what was found.
func (c *comparison) inWords() string {
	words := []string{"restored " + cli.Plural(c.entries, "entry", "entries")}
	if c.live != nil {
		words = append(words, fmt.Sprintf("%d are as in the source", c.compared))
		if c.changed > 0 {
			words = append(words, fmt.Sprintf("%d not compared, since changed there", c.changed))
		}
		if c.wrong > 0 {
			words = append(words, fmt.Sprintf("%d WRONG", c.wrong))
		}
	}
	return strings.Join(words, ", ")
}
