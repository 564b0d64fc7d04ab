//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// volume is a file system that can be rolled back.
type volume struct {
	*site
	image string
}

// newVolume puts the site's source on a file system of its own.
func newVolume(t *testing.T) *volume {
	t.Helper()
	tooltest.NeedsRoot(t, "has loop devices")
	v := &volume{newSite(t), filepath.Join(t.TempDir(), "image")}
	v.must(os.WriteFile(v.image, nil, 0o600))
	v.must(os.Truncate(v.image, 16<<20))
	if out, err := exec.CommandContext(t.Context(), "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", v.image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	v.attach()
	v.must(os.Remove(filepath.Join(v.source, "lost+found")))
	t.Cleanup(func() { _ = unix.Unmount(v.source, unix.MNT_DETACH) })
	return v
}

// attach mounts the image by a loop device of our own, as /dev may have none.
func (v *volume) attach() {
	v.t.Helper()
	dir := v.t.TempDir()
	node := func(name string, mode, major, minor uint32) *os.File {
		path := filepath.Join(dir, name)
		v.must(unix.Mknod(path, mode|0o600, int(unix.Mkdev(major, minor))))
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		v.must(err)
		return f
	}
	control := node("control", unix.S_IFCHR, 10, 237)
	defer control.Close()
	image, err := os.OpenFile(v.image, os.O_RDWR, 0)
	v.must(err)
	defer image.Close()
	for {
		free, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		v.must(err)
		os.Remove(filepath.Join(dir, "loop"))
		loop := node("loop", unix.S_IFBLK, 7, uint32(free))
		defer loop.Close()
		config := unix.LoopConfig{Fd: uint32(image.Fd())}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &config)
		if err == unix.EBUSY {
			continue // another test was faster
		}
		v.must(err)
		v.must(unix.Mount(loop.Name(), v.source, "ext4", 0, ""))
		return
	}
}

// copyOf is the volume as it is now.
func (v *volume) copyOf() []byte {
	v.t.Helper()
	v.must(unix.Unmount(v.source, 0))
	defer v.attach()
	data, err := os.ReadFile(v.image)
	v.must(err)
	return data
}

func (v *volume) rollBack(to []byte) {
	v.t.Helper()
	v.must(unix.Unmount(v.source, 0))
	v.must(os.WriteFile(v.image, to, 0o600))
	v.attach()
}

// What comes back is as old as it was, and no increment of tar's would look at
// it.
func TestAVolumeThatWasRolledBackMakesAFull(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"a file was removed":      "rm d/old",
		"a file was replaced":     "echo newer >d/t; mv d/t d/old",
		"a directory was removed": "rm -r d",
		"a file was written to":   "echo newer >d/old",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVolume(t)
			v.write("d/old", "old")
			v.write("e/f", "1")
			before, want := v.copyOf(), tree(t, v.source)
			v.shell(change)
			settle(t, v.source)
			v.napback(0, day(0))
			v.napback(0, day(1))
			v.rollBack(before)
			if e := v.napback(0, day(2)); !strings.Contains(e.stderr, "rolled back") || !strings.Contains(e.out, "job-2-FULL") {
				t.Error(e)
			}
			v.mustRestore(day(2), want)
		})
	}
}

// rsync and dpkg set the times of directories back, and a disk that is mounted
// again may have another number.
func TestOldTimesAndAnotherDeviceNumberAreNoRollBack(t *testing.T) {
	t.Parallel()
	v := newVolume(t)
	v.write("d/old", "old")
	v.write("e/f", "1")
	settle(t, v.source)
	v.napback(0, day(0))
	v.shell("echo 2 >d/new; touch -d 2001-01-01 d/new d; touch -d 2002-02-02 e")
	device := func() uint64 {
		var at unix.Stat_t
		v.must(unix.Lstat(v.source, &at))
		return at.Dev
	}
	for was := device(); device() == was; {
		v.must(unix.Unmount(v.source, 0))
		newVolume(t) // takes the number
		v.attach()
	}
	settle(t, v.source)
	want := tree(t, v.source)
	if e := v.napback(0, day(1)); !strings.Contains(e.out, "job-1-DIFF") {
		t.Error(e)
	}
	if names := v.members("job-1-DIFF"); strings.Contains(names, "e/f") {
		t.Errorf("too much is stored:\n%s", names)
	}
	v.mustRestore(day(1), want)
	v.shell("rm -r e; mkdir x e; echo again >e/f; rmdir x; touch -d 2003-03-03 e") // of another inode
	settle(t, v.source)
	for n := 2; n < 4; n++ {
		v.shell("echo 2 >d/again; touch -d 2001-01-01 d")
		settle(t, v.source)
		want := tree(t, v.source)
		if e := v.napback(0, day(n)); !strings.Contains(e.out, "-DIFF") {
			t.Error(e)
		}
		v.mustRestore(day(n), want)
	}
}
