//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// mount mounts until the test has ended.
func (s *site) mount(what, point, kind string, flags uintptr) {
	s.t.Helper()
	if err := unix.Mount(what, point, kind, flags, ""); err != nil {
		s.t.Fatalf("mount %s on %s: %v", what, point, err)
	}
	s.t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
}

// twoDisks are two file systems with the same names, inode numbers and old
// times, and other contents.
func (s *site) twoDisks() (disks [2]string) {
	s.t.Helper()
	for i := range disks {
		disks[i] = s.t.TempDir()
		s.mount("tmpfs", disks[i], "tmpfs", 0)
		s.must(os.MkdirAll(filepath.Join(disks[i], "src/d"), 0o755))
		for _, name := range []string{"src/same", "src/d/same"} {
			s.must(os.WriteFile(filepath.Join(disks[i], name), fmt.Append(nil, i), 0o644))
		}
		for _, name := range []string{"src/same", "src/d/same", "src/d", "src"} {
			s.shell("touch -d 2020-01-01 " + filepath.Join(disks[i], name))
		}
	}
	settle(s.t, s.source, disks[0], disks[1])
	return disks
}

// A link above the source is not the source's own, and tar follows it.
func TestALinkAboveTheSourceThatLeadsToAnotherDisk(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t)
	disks := s.twoDisks()
	via := filepath.Join(s.dir, "via")
	s.source = filepath.Join(via, "src")
	s.configure(s.block())
	for n := range 3 {
		os.Remove(via)
		s.must(os.Symlink(disks[n%2], via))
		want := tree(t, s.source)
		if e := s.napback(0, day(n)); n > 0 && !strings.Contains(e.stderr, "another directory is at the source's path") {
			t.Error(e)
		}
		s.mustRestore(day(n), want)
	}
	s.wantArchives("job-0-FULL", "job-1-FULL", "job-2-FULL")
}

// Another disk under the source's own name, without a link.
func TestAnotherDiskAtTheSource(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t)
	disks := s.twoDisks()
	for n := range 2 {
		s.mount(filepath.Join(disks[n], "src"), s.source, "", unix.MS_BIND)
		want := tree(t, s.source)
		e := s.napback(0, day(n))
		s.must(unix.Unmount(s.source, unix.MNT_DETACH))
		if n > 0 && !strings.Contains(e.stderr, "another file system is mounted at the source") {
			t.Error(e)
		}
		s.mustRestore(day(n), want)
	}
	s.wantArchives("job-0-FULL", "job-1-FULL")
}

// Without its disk, the source may still hold something.
func TestTheDiskOfTheSourceIsGone(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	for _, below := range []string{"", "src"} {
		t.Run("source "+below, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			disks := s.twoDisks()
			point := s.source
			s.source = filepath.Join(point, below)
			s.configure(s.block())
			s.write("same", "underneath")
			s.mount(disks[0], point, "", unix.MS_BIND)
			s.napback(0, day(0))
			s.must(unix.Unmount(point, 0))
			if e := s.napback(3, day(1)); !strings.Contains(e.stderr, fmt.Sprintf("mounted at %q is GONE", point)) {
				t.Error(e)
			}
			s.stored(day(1))
			s.napback(0, day(2)) // told once
		})
	}
}

// A disk that takes the place of another after napback has looked.
func TestAnotherDiskWhileTarIsLookingIsStoredTheNextTime(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t)
	disks := s.twoDisks()
	point := filepath.Join(s.source, "mnt")
	s.must(os.Mkdir(point, 0o755))
	s.mount(disks[0], point, "", unix.MS_BIND)
	s.napback(0, day(0))
	s.fake("tar", fmt.Sprintf(`case "$*" in *--create*) umount -l %[1]q; mount --bind %[2]q %[1]q;; esac; exec "$REAL" "$@"`, point, disks[1]))
	s.napback(0, day(1))
	s.real()
	s.napback(0, day(2))
	s.stored(day(2))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF")
	s.napback(0, day(3))
	if names := s.members("job-3-DIFF"); strings.Contains(names, "same") {
		t.Errorf("what is known is stored again:\n%s", names)
	}
}

// In a directory that is no mount point and is the root of napback, no table
// tells what / is.
func TestAnotherDiskIsStoredInAChroot(t *testing.T) {
	tooltest.NeedsRoot(t, "mounts /proc")
	for _, proc := range []string{"with", "without"} {
		t.Run(proc+" proc", func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			disks := s.twoDisks()
			root := filepath.Join(s.dir, "root")
			for _, d := range []string{"source/mnt", "diffs", "store/bk", "tools", "proc", "tmp"} {
				s.must(os.MkdirAll(filepath.Join(root, d), 0o755))
			}
			s.must(os.WriteFile(filepath.Join(root, "napback.conf"), []byte("Bucket bk\nEndpoint file:///store\nDiffDir /diffs\n<Directory /source>\nName job\nDiffs 3\nFulls 2\n</Directory>\n"), 0o600))
			for n := range 2 {
				script := `set -- "$1/root" "${@:2}"; mount --bind "$4" "$1/source/mnt"; ` + lendMachine + `
					if [ "$5" = with ]; then mount -t proc proc "$1/proc"; fi
					exec chroot "$1" /tools/napback -c /napback.conf --date "$3"`
				out, err := inMountNamespace(t, script, s.dir, binDir(t), day(n), disks[n], proc).CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				s.store, s.source = filepath.Join(root, "store"), "/source"
				got, err := os.ReadFile(filepath.Join(s.restore(day(n)), "mnt/src/d/same"))
				if err != nil || string(got) != fmt.Sprint(n) {
					t.Errorf("day %d: %q, %v", n, got, err)
				}
			}
		})
	}
}

// A file can be mounted over a file: its directory does not change.
func TestAFileThatIsMountedOverAnotherIsStored(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t)
	s.write("d/f", "underneath")
	s.write("d/sub/old", "old")
	s.write("other/old", "old")
	files := []string{"", filepath.Join(s.dir, "one"), filepath.Join(s.dir, "two")}
	for _, f := range files[1:] {
		s.must(os.WriteFile(f, []byte(filepath.Base(f)), 0o644))
	}
	settle(t, s.dir)
	over := filepath.Join(s.source, "d", "f")
	for n, f := range []string{files[1], files[2], files[0]} {
		if f != "" {
			s.mount(f, over, "", unix.MS_BIND)
		}
		want := tree(t, s.source)
		s.napback(0, day(n))
		if f != "" {
			s.must(unix.Unmount(over, 0))
		}
		s.mustRestore(day(n), want)
	}
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-DIFF")
	if names := s.members("job-1-DIFF"); strings.Contains(names, "other/old") {
		t.Errorf("too much is stored:\n%s", names)
	}
}

// members lists what the newest archive of a name holds.
func (s *site) members(name string) string {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "bash", "-o", "pipefail", "-c", `"$1" "$2" | zstd -dq | tar -t`, "x", filepath.Join(binDir(s.t), "s3get"), "bk:"+name)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_S3=file://"+s.store)
	out, err := cmd.Output()
	s.must(err)
	return string(out)
}

// What was mounted inside the source and is no more takes its files with it.
func TestAFileSystemThatIsGoneIsNamed(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	for n, full := range []bool{false, true} {
		s := newSite(t)
		disks := s.twoDisks()
		points := []string{filepath.Join(s.source, "a disk"), filepath.Join(s.source, "bound")}
		for i, p := range points {
			s.must(os.Mkdir(p, 0o755))
			s.mount(disks[i], p, "", unix.MS_BIND)
		}
		inside := filepath.Join(s.dir, "inside") // of the source's own file system
		s.must(os.MkdirAll(filepath.Join(inside, "x"), 0o755))
		third := filepath.Join(s.source, "third")
		s.must(os.Mkdir(third, 0o755))
		s.mount(inside, third, "", unix.MS_BIND)
		s.napback(0, day(0))
		s.napback(0, day(1))
		s.must(unix.Unmount(points[0], 0))
		s.must(unix.Unmount(points[1], 0))
		s.must(os.Remove(points[1]))
		s.must(unix.Unmount(third, 0))
		s.mount(disks[1], third, "", unix.MS_BIND) // another one: not gone
		at := day(2)
		if full {
			at = day(4)
		}
		e := s.napback(3, at)
		for _, p := range points {
			if !strings.Contains(e.stderr, fmt.Sprintf("the file system that was mounted at %q is GONE", p)) {
				t.Errorf("%d: %v", n, e)
			}
		}
		if strings.Contains(e.stderr, third) {
			t.Error(e)
		}
		s.stored(at)
		s.napback(0, day(5)) // told once
	}
}

// With OneFileSystem it was never stored.
func TestAFileSystemThatWasNeverStoredIsNotMissed(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t, "OneFileSystem on")
	disks := s.twoDisks()
	point := filepath.Join(s.source, "disk")
	s.must(os.Mkdir(point, 0o755))
	s.mount(disks[0], point, "", unix.MS_BIND)
	s.napback(0, day(0))
	s.must(unix.Unmount(point, 0))
	s.napback(0, day(1))
	s.stored(day(1))
}
