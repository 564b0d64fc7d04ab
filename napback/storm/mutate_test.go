//go:build linux

package storm

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// mutant counts the names that a source has had.
type mutant struct{ names int }

// fresh returns a name that is not in use, at times one that is hard to write.
func (h *host) fresh() string {
	h.names++
	odd := []string{"", " ", "é", "\\", "'", "*", "\n", "\xff", "-"}
	return fmt.Sprintf("%s%d", odd[h.w.rng.IntN(len(odd))], h.names) + odd[h.w.rng.IntN(len(odd))]
}

// firstTree fills an empty source.
func (h *host) firstTree() {
	for range 3 {
		h.w.must(os.Mkdir(filepath.Join(h.source(), h.fresh()), 0o755))
	}
	h.change(25)
}

// change makes n random changes of the source.
func (h *host) change(n int) {
	for range n {
		all := changes[:]
		what := all[h.w.rng.IntN(len(all))]
		if err := what(h, h.w.rng); err != nil {
			h.w.t.Fatalf("change of %s: %v", h.source(), err)
		}
	}
	h.trim()
}

// trim keeps a source from growing without end.
func (h *host) trim() {
	for files := h.all(fs.ModeType, 0); len(files) > 90; files = h.all(fs.ModeType, 0) {
		h.w.must(os.Remove(files[h.w.rng.IntN(len(files))]))
	}
	for dirs := h.all(fs.ModeDir, fs.ModeDir); len(dirs) > 25; dirs = h.all(fs.ModeDir, fs.ModeDir) {
		h.w.must(os.RemoveAll(dirs[1+h.w.rng.IntN(len(dirs)-1)]))
	}
}

// all returns the paths whose type, of the bits in mask, is want; the source
// itself first among directories.
func (h *host) all(mask, want fs.FileMode) []string {
	var paths []string
	h.w.must(filepath.WalkDir(h.source(), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&mask == want && filepath.Base(path) != marker {
			paths = append(paths, path)
		}
		return err
	}))
	slices.Sort(paths)
	return paths
}

func pick(rng *rand.Rand, all []string) (string, bool) {
	if len(all) == 0 {
		return "", false
	}
	return all[rng.IntN(len(all))], true
}

func (h *host) file() (string, bool) { return pick(h.w.rng, h.all(fs.ModeType, 0)) }

// directory returns one, and not the source itself if there is another.
func (h *host) directory() string {
	dirs := h.all(fs.ModeDir, fs.ModeDir)
	if len(dirs) > 1 {
		dirs = dirs[1:]
	}
	d, _ := pick(h.w.rng, dirs)
	return d
}

func (h *host) data(most int) []byte {
	data := make([]byte, h.w.rng.IntN(most))
	for i := range data {
		data[i] = byte(h.w.rng.Uint32())
	}
	return data
}

var changes = [...]func(*host, *rand.Rand) error{
	func(h *host, _ *rand.Rand) error { // a new file
		return os.WriteFile(filepath.Join(h.directory(), h.fresh()), h.data(6000), 0o644)
	},
	func(h *host, _ *rand.Rand) error { // other content
		path, ok := h.file()
		if !ok {
			return nil
		}
		return os.WriteFile(path, h.data(6000), 0o644)
	},
	func(h *host, rng *rand.Rand) error { // other content of the same size and time
		path, ok := h.file()
		if !ok {
			return nil
		}
		info, err := os.Lstat(path)
		if err != nil || info.Size() == 0 || info.Size() > 1<<16 {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		data[rng.IntN(len(data))] ^= 1
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		return os.Chtimes(path, info.ModTime(), info.ModTime())
	},
	func(h *host, _ *rand.Rand) error { // a file goes
		path, ok := h.file()
		if !ok {
			return nil
		}
		return os.Remove(path)
	},
	func(h *host, _ *rand.Rand) error { // a new directory
		return os.Mkdir(filepath.Join(h.directory(), h.fresh()), 0o755)
	},
	func(h *host, _ *rand.Rand) error { // a directory goes, with all below it
		if d := h.directory(); d != h.source() {
			return os.RemoveAll(d)
		}
		return nil
	},
	func(h *host, _ *rand.Rand) error { // renamed
		path, ok := h.file()
		if !ok {
			return nil
		}
		return os.Rename(path, filepath.Join(h.directory(), h.fresh()))
	},
	func(h *host, _ *rand.Rand) error { // a directory renamed, beside itself
		d := h.directory()
		if d == h.source() {
			return nil
		}
		return os.Rename(d, filepath.Join(filepath.Dir(d), h.fresh()))
	},
	swap,
	func(h *host, _ *rand.Rand) error { // a second name
		path, ok := h.file()
		if !ok {
			return nil
		}
		return os.Link(path, filepath.Join(h.directory(), h.fresh()))
	},
	func(h *host, rng *rand.Rand) error { // a symbolic link
		targets := []string{".", "..", "/etc/passwd", "nowhere", "é/\n"}
		return os.Symlink(targets[rng.IntN(len(targets))], filepath.Join(h.directory(), h.fresh()))
	},
	func(h *host, rng *rand.Rand) error { // with holes
		f, err := os.Create(filepath.Join(h.directory(), h.fresh()))
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte("island"), int64(rng.IntN(16))<<16); err != nil {
			return err
		}
		return f.Truncate(1 << 20)
	},
	func(h *host, rng *rand.Rand) error { // a time long ago, to the nanosecond
		path, ok := pick(rng, h.all(0, 0)[1:])
		if !ok {
			return nil
		}
		when := unix.NsecToTimespec(rng.Int64N(time.Now().UnixNano()))
		return unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW)
	},
	func(h *host, rng *rand.Rand) error { // other rights
		path, ok := pick(rng, append(h.all(fs.ModeType, 0), h.all(fs.ModeDir, fs.ModeDir)...))
		if !ok {
			return nil
		}
		return unix.Chmod(path, uint32(0o700|rng.IntN(0o100)|rng.IntN(8)<<9))
	},
	func(h *host, rng *rand.Rand) error { // another owner
		path, ok := h.file()
		if !ok {
			return nil
		}
		return os.Lchown(path, rng.IntN(70000), rng.IntN(70000))
	},
	func(h *host, rng *rand.Rand) error { // an extended attribute
		path, ok := pick(rng, append(h.all(fs.ModeType, 0), h.all(fs.ModeDir, fs.ModeDir)...))
		if !ok {
			return nil
		}
		return unix.Lsetxattr(path, fmt.Sprintf("user.x%d", rng.IntN(3)), fmt.Appendf(nil, "%d", rng.IntN(100)), 0)
	},
	func(h *host, _ *rand.Rand) error { // a pipe
		return unix.Mkfifo(filepath.Join(h.directory(), h.fresh()), 0o644)
	},
	func(h *host, rng *rand.Rand) error { // a large directory, seldom
		if rng.IntN(12) > 0 {
			return nil
		}
		d := filepath.Join(h.directory(), h.fresh())
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
		for i := range 40 {
			if err := os.WriteFile(filepath.Join(d, fmt.Sprintf("%0100d", i)), nil, 0o644); err != nil {
				return err
			}
		}
		return nil
	},
}

// swap exchanges two directories, neither of which is in the other.
func swap(h *host, rng *rand.Rand) error {
	dirs := h.all(fs.ModeDir, fs.ModeDir)[1:]
	a, ok := pick(rng, dirs)
	if !ok {
		return nil
	}
	b, _ := pick(rng, dirs)
	if within(a, b) || within(b, a) {
		return nil
	}
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
}

// within tells that path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && (len(rel) < 3 || rel[:3] != "../")
}
