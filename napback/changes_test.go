//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"napback/napback/snapshot"
	"napback/napback/source/tar"

	"napback/internal/tooltest"
)

func (s *site) shell(script string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), "bash", "-ec", script)
	cmd.Dir = s.source
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// settle waits before a backup until what was changed below roots counts as
// unchanged for the one after it: otherwise every increment would hold everything,
// and show nothing.
func settle(t *testing.T, roots ...string) {
	t.Helper()
	var newest time.Time
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
			var at unix.Stat_t
			if err == nil {
				err = unix.Lstat(path, &at)
			}
			if changed := time.Unix(at.Ctim.Unix()); changed.After(newest) {
				newest = changed
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for until := newest.Add(snapshot.Overlap); !time.Now().After(until); {
		time.Sleep(time.Until(until) + time.Millisecond)
	}
}

// Everything that Unix has comes back from a FULL and three increments,
// between which everything happens to it that can happen.
func TestEverythingComesBackFromIncrements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.shell(`
		umask 022
		mkdir -p plain empty 'with space' acl dirA/deep dirB tofile swap1/in swap2 links moved/sub old
		printf one >plain/one; printf two >plain/two
		printf x >$'with space/new\nline'; printf x >$'with space/\xff\xfe not utf-8'; printf x >'with space/-dash'; printf x >'with space/back\slash: colon'
		ln plain/one links/hard; ln -s ../plain/one links/soft; ln -s nowhere links/dangling
		truncate -s 50M sparse; printf end >>sparse
		mkfifo fifo; mknod null c 1 3
		printf s >setuid; chmod 4755 setuid; printf g >setgid; chmod 2750 setgid; mkdir sticky; chmod 1777 sticky
		printf o >owned; chown 1234:4321 owned
		printf a >acl/file; setfacl -m u:1234:rwx,g:4321:r acl/file; setfacl -d -m u:1234:rx acl
		setfattr -n user.comment -v "hello" plain/two; setfattr -n user.dir -v d acl; setfattr -n trusted.t -v t plain/two
		printf A >dirA/deep/f; printf B >dirB/f; printf 1 >swap1/in/f; printf 2 >swap2/f; printf f >todir; printf m >moved/sub/f; ln plain/two moved/sub/hard
		touch -d '2001-02-03 04:05:06.123456789' plain/one; touch -d 1971-07-20 plain/two
		touch -hd '2002-02-03 04:05:06.987654321' links/soft; touch -d '2003-01-01 00:00:00.000000001' empty`)
	changes := []string{"", `
		rm plain/one; printf three >plain/three; mv dirA dirC; mv swap1 t; mv swap2 swap1; mv t swap2
		rm -r tofile; printf file >tofile; rm todir; mkdir todir; printf in >todir/in; rmdir empty`,
		`mv moved elsewhere; mkdir moved; printf new >moved/f; ln links/hard again; rm fifo; mkdir fifo; chmod 0700 setuid
		setfattr -x user.comment plain/two; setfacl -b acl/file; chown 1:1 owned; rm -r old; mv dirB old; rm null; ln -s x null
		printf more >>sparse; touch -d '2010-10-10 10:10:10.101010101' plain/three`,
		`rm -r fifo; mkfifo fifo; mv elsewhere moved/back; rm -r dirC; mkdir dirC; mv todir dirC/todir; mv tofile todir; rm links/hard
		mv 'with space' 'other space'; mkdir -p a/b/c/d; printf deep >a/b/c/d/e; chmod 000 a/b/c/d/e; mkdir empty`}
	var states []map[string]string
	for i, change := range changes {
		s.shell(change)
		states = append(states, tree(t, s.source))
		settle(t, s.source)
		s.napback(0, day(i))
	}
	for i, want := range states {
		s.mustRestore(day(i), want)
	}
	if n := len(s.archives()); n != 4 {
		t.Errorf("%d archives: %q", n, s.archives())
	}
}

// GNU tar's own increments lose files when directories are renamed, swapped or
// replaced and inodes used again. Random changes, many times, show that ours
// do not.
func TestRandomChangesComeBackExactly(t *testing.T) {
	t.Parallel()
	const seeds = 16
	var sites []*site
	var mutators []*mutator
	for seed := range seeds {
		s := newSite(t)
		m := &mutator{s.source, rand.New(rand.NewPCG(uint64(seed), 1)), 0}
		for range 30 {
			m.step()
		}
		sites, mutators = append(sites, s), append(mutators, m)
	}
	fulls := 0
	for i := range 4 {
		for _, m := range mutators {
			for range m.IntN(6) * i {
				m.step()
			}
		}
		for _, s := range sites {
			settle(t, s.source)
		}
		for seed, s := range sites {
			if e := s.napback(0, day(i)); i > 0 && strings.Contains(e.out, "-FULL") {
				fulls++
				if strings.Contains(e.stderr, "rolled back") {
					t.Errorf("seed %d, day %d: %v", seed, i, e)
				}
			}
			if d := difference(tree(t, s.source), tree(t, s.restore(day(i)))); d != "" {
				t.Fatalf("seed %d, day %d:\n%s", seed, i, d)
			}
		}
	}
	// Only renamed directories that share files with others may ask for it.
	if fulls > seeds {
		t.Errorf("%d of %d increments became FULLs", fulls, 3*seeds)
	}
}

// Of two names of a file, in a directory that was renamed and outside of it, tar
// would store one. It comes back as one file.
func TestAHardLinkIntoARenamedDirectoryComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.shell("mkdir a b; echo 1 >a/one; ln a/one b/two; echo 2 >a/other; ln a/other a/again; echo 3 >../outside; mkdir c; ln ../outside c/in")
	settle(t, s.source)
	s.napback(0, day(0))
	s.shell("mv c d") // its file's other name is none of ours
	if e := s.napback(0, day(1)); !strings.Contains(e.out, "job-1-DIFF") {
		t.Error(e)
	}
	s.shell("rm -r d; mv a z")
	if e := s.napback(0, day(2)); !strings.Contains(e.out, "job-2-FULL") || !strings.Contains(e.stderr, "hard link") {
		t.Error(e)
	}
	s.stored(day(2))
	s.wantArchives("job-0-FULL", "job-1-DIFF", "job-2-FULL")
	if s.incomplete() != 0 {
		t.Error("the attempt before the FULL is left")
	}
}

// tar does not tell that it could not write a list of names beside the archive, as
// where DiffDir is full for a moment.
func TestAHardLinkIsNotLostToAFullDiffDir(t *testing.T) {
	s := newSite(t)
	s.shell("mkdir a b; echo 1 >a/one; ln a/one b/two")
	settle(t, s.source)
	s.napback(0, day(0))
	s.fake("tar", `for a in "$@"; do case $a in --index-file=*) names=${a#*=}; ln -sf /dev/full "$names";; esac; done
"$REAL" "$@"; status=$?; [ -z "$names" ] || { rm "$names"; : >"$names"; }; exit $status`)
	s.shell("mv a z")
	if e := s.napback(0, day(1)); !strings.Contains(e.out, "job-1-FULL") || !strings.Contains(e.stderr, "hard link") {
		t.Error(e)
	}
	s.real()
	s.stored(day(1))
}

// An increment holds what changed and no more.
func TestAnIncrementIsSmall(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("big/file", strings.Repeat("x", 1<<20))
	s.write("dir/old", "1")
	settle(t, s.source)
	s.napback(0, day(0))
	s.write("dir/new", "2")
	s.napback(0, day(1))
	out, err := exec.Command("bash", "-c", `cat "$1"/bk/job-1-DIFF:*:0000* | zstd -dq | tar -t`, "x", s.store).Output()
	member := tar.Listed(s.source)
	if want := member + "/\n" + member + "/big/\n" + member + "/dir/\n" + member + "/dir/new\n"; err != nil || string(out) != want {
		t.Errorf("%v: holds\n%s", err, out)
	}
	s.stored(day(1))
}

// mutator changes a tree at random, with so few names that files take the
// places of directories and inodes are used again.
type mutator struct {
	root string
	*rand.Rand
	written int
}

func (m *mutator) list() (dirs, files []string) {
	dirs = []string{m.root}
	_ = filepath.WalkDir(m.root, func(path string, d os.DirEntry, err error) error {
		if err == nil && path != m.root {
			if d.IsDir() {
				dirs = append(dirs, path)
			} else {
				files = append(files, path)
			}
		}
		return nil
	})
	return dirs, files
}

// step makes one change; one that is not possible makes none.
func (m *mutator) step() {
	dirs, files := m.list()
	dir, file := dirs[m.IntN(len(dirs))], m.root
	if len(files) > 0 {
		file = files[m.IntN(len(files))]
	}
	other := dirs[m.IntN(len(dirs))]
	fresh := filepath.Join(other, string(rune('a'+m.IntN(6))))
	switch m.IntN(14) {
	case 0, 1:
		m.write(fresh)
	case 2:
		m.write(file)
	case 3, 4:
		if os.Mkdir(fresh, 0o755) == nil {
			m.write(filepath.Join(fresh, "f"))
		}
	case 5:
		if file != m.root {
			os.Remove(file)
		}
	case 6:
		m.removeDir(dir)
	case 7:
		if file != m.root {
			os.Rename(file, fresh)
		}
	case 8, 9:
		if dir != m.root {
			os.Rename(dir, fresh)
		}
	case 10: // swap
		if dir != m.root && other != m.root {
			_ = unix.Renameat2(unix.AT_FDCWD, dir, unix.AT_FDCWD, other, unix.RENAME_EXCHANGE)
		}
	case 11: // a directory becomes a file
		if m.removeDir(dir) {
			m.write(dir)
		}
	case 12: // a file becomes a directory
		if file != m.root && os.Remove(file) == nil && os.Mkdir(file, 0o700) == nil {
			m.write(filepath.Join(file, "f"))
		}
	case 13:
		if file != m.root {
			os.Link(file, fresh)
		}
	}
}

func (m *mutator) write(path string) {
	m.written++
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return
	}
	_ = os.WriteFile(path, fmt.Appendf(nil, "content %d", m.written), 0o644)
}

func (m *mutator) removeDir(dir string) bool {
	return dir != m.root && os.RemoveAll(dir) == nil
}

// A second disk under the same mount point can have the same names, inodes and
// old times.
func TestAnotherFileSystemUnderTheSameNamesIsStored(t *testing.T) {
	if !tooltest.AsRoot(t) {
		return
	}
	t.Parallel()
	s := newSite(t)
	disks := []string{t.TempDir(), t.TempDir()}
	point := filepath.Join(s.source, "mnt")
	s.must(os.Mkdir(point, 0o755))
	for i, disk := range disks {
		s.must(unix.Mount("tmpfs", disk, "tmpfs", 0, ""))
		t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
		s.must(os.Mkdir(filepath.Join(disk, "d"), 0o755))
		s.must(os.WriteFile(filepath.Join(disk, "d", "same"), fmt.Append(nil, i), 0o644))
	}
	settle(t, append(disks, s.source)...)
	for i, disk := range disks {
		s.must(unix.Mount(disk, point, "", unix.MS_BIND, ""))
		want := tree(t, s.source)
		s.napback(0, day(i))
		s.must(unix.Unmount(point, 0))
		s.mustRestore(day(i), want)
	}
	if got := s.archives(); len(got) != 2 || got[1] != "job-1-DIFF" {
		t.Errorf("archives %q", got)
	}
}
