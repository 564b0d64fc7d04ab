//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/napback/tartest"
)

func TestNoArchiveWritesOutsideOfTheSource(t *testing.T) {
	t.Parallel()
	for name, k := range attacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, encrypted)
			secret := s.newKey("")
			f := &forger{site: s, encrypts: true}
			victim := newVictim(t)
			s.write("mine", "mine")
			before := tree(t, victim)
			full, diff := k.streams(s.source, victim)
			f.store("FULL", "Directory "+s.source, full)
			if diff != nil {
				f.store("DIFF", "Directory "+s.source, diff)
			}
			to := func(n int) string { return filepath.Join(s.dir, fmt.Sprint("out", n)) }
			for n, args := range [][]string{
				{"restore", "-k", secret, "--to", to(0), "job"}, {"restore", "-k", secret, "--to", to(1), "job", "p"},
				{"restore", "-k", secret, "--in-place", "-y", "job"}, {"restore", "-k", secret, "--in-place", "-y", "job", "p"},
				{"verify", "-k", secret, "job"},
			} {
				e := s.cmd(5, args...)
				if !strings.Contains(e.stderr, "refused: member ") || !strings.Contains(e.stderr, k.member+`"`) {
					t.Errorf("%q (%d): %v", args, n, e)
				}
				if d := difference(before, tree(t, victim)); d != "" {
					t.Fatalf("%q (%d): the victim has changed: %s\n%v", args, n, d, e)
				}
			}
		})
	}
}

// Whoever can change what the store says may do it between two readings.
func TestEveryPassIsGuarded(t *testing.T) {
	s := newSite(t, "Compression none")
	s.shell(`mkdir a b; printf x >a/f; ln a/f b/f; printf y >b/g`)
	s.napback(0, day(0))
	src := strings.TrimPrefix(s.source, "/")
	out := &tartest.Archive{}
	out.File("evil", "evil")
	dir := &tartest.Archive{} // the file that is linked to is a directory now
	dir.Dir(src, "Da", "Db")
	dir.Dir(src+"/a", "Df")
	dir.Dir(src + "/a/f")
	for name, archive := range map[string]*tartest.Archive{"member \"evil\"": out, "must not be one here": dir} {
		evil, calls := filepath.Join(s.dir, "evil"), filepath.Join(s.dir, "calls")
		s.must(os.WriteFile(evil, archive.Stream(), 0o600))
		s.must(os.RemoveAll(calls))
		s.fake("s3get", `echo call >>`+calls+`; [ $(wc -l <`+calls+`) = 1 ] && exec $REAL "$@"; cat `+evil)
		to := filepath.Join(s.dir, "out")
		e := s.cmd(5, "restore", "--to", to, "job", "b")
		if !strings.Contains(e.stderr, "again for 1 file") || !strings.Contains(e.stderr, "refused") || !strings.Contains(e.stderr, name) {
			t.Error(e)
		}
		s.must(os.RemoveAll(to))
	}
}

// A local user may put a link where the backup has a directory.
func TestRestoreInPlaceFollowsNoLink(t *testing.T) {
	t.Parallel()
	prepare := func(t *testing.T) (*site, string, map[string]string, map[string]string) {
		s := newSite(t)
		s.shell(`mkdir -p a/b/c; printf x >a/b/c/f; printf y >a/g; chmod 700 a/b`)
		s.napback(0, day(0))
		want := tree(t, s.source)
		victim := newVictim(t)
		s.must(os.MkdirAll(filepath.Join(victim, "c"), 0o755))
		s.must(os.WriteFile(filepath.Join(victim, "c", "theirs"), nil, 0o644))
		return s, victim, want, tree(t, victim)
	}
	for name, args := range map[string][]string{"all": nil, "a path": {"a/b/c"}, "a file": {"a/b/c/f"}, "the link": {"a/b"}} {
		t.Run("inside, "+name, func(t *testing.T) {
			t.Parallel()
			s, victim, _, before := prepare(t)
			s.shell(`rm -r a/b; ln -s '` + victim + `' a/b`)
			e := s.cmd(0, append([]string{"restore", "--in-place", "-y", "job"}, args...)...)
			if !strings.Contains(e.stderr, "  "+s.source+"/a/b\n") {
				t.Errorf("the link is not on the list: %v", e)
			}
			s.mustEqual("the victim", before, victim)
			if data, err := os.ReadFile(filepath.Join(s.source, "a/b/c/f")); err != nil || string(data) != "x" {
				t.Errorf("%q, %v", data, err)
			}
			if info, err := os.Lstat(filepath.Join(s.source, "a/b")); err != nil || !info.IsDir() {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
	t.Run("above", func(t *testing.T) {
		t.Parallel()
		s, victim, _, _ := prepare(t)
		s.must(os.Rename(s.source, filepath.Join(victim, "moved")))
		before := tree(t, victim)
		s.must(os.Symlink(filepath.Join(victim, "moved"), s.source))
		for _, args := range [][]string{nil, {"a/b"}} {
			e := s.cmd(5, append([]string{"restore", "--in-place", "-y", "job"}, args...)...)
			if !strings.Contains(e.stderr, "is a symbolic link") {
				t.Error(e)
			}
		}
		s.mustEqual("the victim", before, victim)
	})
	t.Run("gone", func(t *testing.T) {
		t.Parallel()
		s, _, want, _ := prepare(t)
		s.must(os.RemoveAll(s.source))
		s.cmd(0, "restore", "--in-place", "-y", "job")
		s.mustEqual("the source", want, s.source)
	})
}

// The manifest may say that the archive is one of /etc.
func TestTheConfigurationSaysWhatTheSourceIs(t *testing.T) {
	s := newSite(t)
	f := &forger{site: s}
	victim := newVictim(t)
	before := tree(t, victim)
	a := &tartest.Archive{}
	a.Dir(strings.TrimPrefix(victim, "/"))
	f.store("FULL", "Directory "+victim, a.Stream())
	for _, args := range [][]string{
		{"restore", "--in-place", "-y", "job"}, {"restore", "--in-place", "-y", "job", victim + "/dir"},
		{"restore", "--to", filepath.Join(s.dir, "out"), "job"}, {"restore", "-p", "--to", filepath.Join(s.dir, "out"), "job"}, {"verify", "job"},
	} {
		if e := s.cmd(5, args...); !strings.Contains(e.stderr, "it was made of \"Directory "+victim) {
			t.Errorf("%q: %v", args, e)
		}
	}
	f.store("FULL", "PostgreSQL postgres@all", []byte("\\! id\n"))
	if e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "out"), "job"); !strings.Contains(e.stderr, "it was made of") {
		t.Error(e)
	}
	for _, source := range []string{"etc", "/home/../etc", "/etc/", "//etc", ""} {
		s.configure(strings.ReplaceAll(s.block(), "Name job", "Name other"))
		f.store("FULL", "Directory "+source, a.Stream())
		if e := s.cmd(5, "restore", "--to", filepath.Join(s.dir, "out"), "job"); !strings.Contains(e.stderr, "not the path of a directory") {
			t.Errorf("%q: %v", source, e)
		}
	}
	s.mustEqual("the victim", before, victim)
}

// Of a job that is not configured only the manifest says what the source is.
func TestOnlyAConfiguredJobIsRestoredToItsPlace(t *testing.T) {
	s := newSite(t)
	f := &forger{site: s}
	victim := newVictim(t)
	before := tree(t, victim)
	a := &tartest.Archive{}
	a.Dir(strings.TrimPrefix(victim, "/"))
	s.configure(strings.ReplaceAll(s.block(), "Name job", "Name other"))
	f.store("FULL", "Directory "+victim, a.Stream())
	for _, args := range [][]string{{"--in-place", "-y"}, {"-p", "--in-place", "-y"}} {
		if e := s.cmd(2, append(append([]string{"restore"}, args...), "job")...); !strings.Contains(e.stderr, "no job of the configuration says") {
			t.Errorf("%q: %v", args, e)
		}
		s.mustEqual("the victim", before, victim)
	}
	s.cmd(0, "restore", "--to", filepath.Join(s.dir, "out"), "job")
	dump := []byte("SVN-fs-dump-format-version: 2\n\n")
	repository := filepath.Join(victim, "repository")
	s.must(os.RemoveAll(s.store + "/bk"))
	s.must(os.Mkdir(s.store+"/bk", 0o755))
	f.store("FULL", "Subversion "+repository, dump)
	if e := s.cmd(2, "restore", "--load", "job"); !strings.Contains(e.stderr, "no job of the configuration says") {
		t.Error(e)
	}
	root := filepath.Join(s.dir, "svn")
	s.must(os.Mkdir(root, 0o755))
	s.configure(job("SubversionDir", root, "job"))
	s.must(os.RemoveAll(s.store + "/bk"))
	s.must(os.Mkdir(s.store+"/bk", 0o755))
	f.store("FULL", "Subversion "+root+"/../"+strings.Repeat("../", 20)+repository, dump)
	if e := s.cmd(5, "restore", "--load", "job"); !strings.Contains(e.stderr, "it was made of") {
		t.Error(e)
	}
	s.mustEqual("the victim", before, victim)
}

func TestWhatIsNotEncryptedIsNotTakenWhereItShouldBe(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	s.configure(s.block(encrypted))
	s.newKey("")
	to := filepath.Join(s.dir, "out")
	for _, args := range [][]string{
		{"restore", "--to", to, "job"}, {"restore", "--in-place", "-y", "job"}, {"restore", "--to", to, "job", "f"}, {"verify", "job"}, {"verify", "--unpack", "job"},
	} {
		if e := s.cmd(5, args...); !strings.Contains(e.stderr, "it is not encrypted, although") || !strings.Contains(e.stderr, "hint: if it was made before") {
			t.Errorf("%q: %v", args, e)
		}
	}
	s.cmd(0, "verify", "--unpack", "--accept-unencrypted", "job")
	s.cmd(0, "restore", "--accept-unencrypted", "--to", to, "job")
	s.mustEqual("the copy", tree(t, s.source), filepath.Join(to, s.source))
}

// gpg -d passes on what an OpenPGP message holds also if it is not encrypted at
// all, and is content; so the manifest alone could say that it is.
func TestWhatOnlySaysThatItIsEncryptedIsRefused(t *testing.T) {
	s := newSite(t, encrypted)
	secret := s.newKey("")
	a := &tartest.Archive{}
	src := strings.TrimPrefix(s.source, "/")
	a.Dir(src, "Yf")
	a.File(src+"/f", "plain")
	const store = "gpg --batch --quiet --store"
	for name, seal := range map[string]string{
		"plain": "cat", "literal": store, "compressed": store + " --compress-algo zip", "signed": "gpg --batch --quiet --sign", "armored": store + " --armor",
		// A session key for a key that nobody has, and nothing that it opens.
		"session key": `(printf '\301\014\003\001\002\003\004\005\006\007\010\026\000\000'; ` + store + ")",
	} {
		f := &forger{site: s, encrypts: true, seal: seal}
		f.store("FULL", "Directory "+s.source, a.Stream())
		for _, args := range [][]string{{"verify", "--unpack", "job"}, {"restore", "--to", s.dir + "/out", "job"}, {"restore", "-k", secret, "--to", s.dir + "/out", "job"}} {
			if e := s.cmd(5, args...); !strings.Contains(e.stderr, "not an encrypted OpenPGP message") && name != "plain" {
				t.Errorf("%s: %q: %v", name, args, e)
			}
			if _, err := os.Lstat(s.dir + "/out"); err == nil {
				t.Errorf("%s: %q: something has been restored", name, args)
				s.must(os.RemoveAll(s.dir + "/out"))
			}
		}
	}
	f := &forger{site: s, encrypts: true, seal: "gpg --batch --quiet --trust-model always -r backup@example.org -e"}
	f.store("FULL", "Directory "+s.source, a.Stream())
	s.cmd(0, "restore", "--to", s.dir+"/out", "job")
}

// The sandbox holds even if the guard does not: tar itself cannot write
// elsewhere.
func TestTarIsConfined(t *testing.T) {
	s := newSite(t)
	s.write("f", "x")
	s.napback(0, day(0))
	victim := newVictim(t)
	before := tree(t, victim)
	s.fake("tar", `case " $* " in *" --extract "*) (echo evil >`+victim+`/evil) 2>/dev/null && echo "tar: it wrote outside" >&2; rm -f `+victim+`/precious 2>/dev/null;; esac; exec $REAL "$@"`)
	abi, _, _ := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	e := s.tool("napback", "-d", "-c", s.conf, "restore", "--to", filepath.Join(s.dir, "out"), "job")
	if int(abi) < 2 {
		if !strings.Contains(e.stderr, "tar is not confined") {
			t.Errorf("there is no Landlock, and no note on it: %v", e)
		}
		return
	}
	if e.code != 0 || strings.Contains(e.stderr, "not confined") {
		t.Error(e)
	}
	s.mustEqual("the victim", before, victim)
}
