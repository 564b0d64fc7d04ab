//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestExclusionsOnARealTree(t *testing.T) {
	for name, c := range map[string]struct {
		config  []string
		present []string // what the archive holds of the files below
	}{
		"anchored":             {[]string{"Exclude $SRC/cache"}, []string{"a[b]/c", "a[b]/cache/x", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"any component":        {[]string{"Exclude cache"}, []string{"a[b]/c", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"trailing slash":       {[]string{"Exclude cache/"}, []string{"a[b]/c", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"wildcard":             {[]string{"Exclude *.o"}, []string{"a[b]/c", "a[b]/cache/x", "cache/deep/x", "keep", "tmp/keep"}},
		"* does not match /":   {[]string{"Exclude o*z.o", "Exclude $SRC/*/x"}, []string{"a[b]/c", "a[b]/cache/x", "cache/deep/x", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"contents only":        {[]string{"Exclude $SRC/tmp/*"}, []string{"a[b]/c", "a[b]/cache/x", "cache/deep/x", "keep", "o/x.o", "o/y/z.o"}},
		"literal brackets":     {[]string{`Exclude "$SRC/a\[b]"`}, []string{"cache/deep/x", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"of another directory": {[]string{"Exclude /cache", "Exclude /keep"}, []string{"a[b]/c", "a[b]/cache/x", "cache/deep/x", "keep", "o/x.o", "o/y/z.o", "tmp/keep"}},
		"from a file":          {[]string{"ExcludeFrom $DIR/patterns"}, []string{"a[b]/c", "keep", "o/x.o", "o/y/z.o"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			for _, f := range []string{"a[b]/c", "a[b]/cache/x", "cache/deep/x", "keep", "o/x.o", "o/y/z.o", "tmp/keep"} {
				s.write(f, f)
			}
			s.must(os.WriteFile(filepath.Join(s.dir, "patterns"), fmt.Appendf(nil, "cache\n\n%s/tmp\n", s.source), 0o644))
			fill := strings.NewReplacer("$SRC", s.source, "$DIR", s.dir)
			s.configure(s.block(fill.Replace(strings.Join(c.config, "\n"))))
			for n, want := range [][]string{c.present, append(slices.Clone(c.present), "later")} {
				s.napback(0, day(n))
				var got []string
				for f := range tree(t, s.restore(day(n))) {
					if info, err := os.Lstat(filepath.Join(s.source, f)); err == nil && info.Mode().IsRegular() {
						got = append(got, f)
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Errorf("day %d: got %q; want %q", n, got, want)
				}
				s.write("later", "x")
			}
		})
	}
}

// What napback writes while it runs must not make every run end with warnings.
func TestDiffDirInsideTheSource(t *testing.T) {
	s := newSite(t)
	s.diffs = filepath.Join(s.source, "var", "diffs [x]")
	s.must(os.MkdirAll(s.diffs, 0o755))
	s.write("var/diffs [x]/of the user", "1")
	s.must(os.WriteFile(s.conf, fmt.Appendf(nil, "Bucket bk\nEndpoint file://%s\nDiffDir %q\nNeverDie off\n%s", s.store, s.diffs, s.block()), 0o600))
	for n := range 3 {
		s.napback(0, day(n))
	}
	got := tree(t, filepath.Join(s.restore(day(2)), "var", "diffs [x]"))
	if len(got) != 2 || got["of the user"] == "" {
		t.Errorf("restored %v", got)
	}
}

func TestOddSources(t *testing.T) {
	for _, name := range []string{"-rf", "a b", `back\tslash`, "glob[a-z]*?", "colon: here", "ünïcode", "'quote\""} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.source = filepath.Join(s.source, name)
			s.write("f", "1")
			quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s.source) + `"`
			s.configure(fmt.Sprintf("<Directory %s>\nName job\nDiffs 3\nFulls 2\n</Directory>\n", quoted))
			s.napback(0, day(0))
			s.write("g", "2")
			s.napback(0, day(1))
			s.stored(day(1))
		})
	}
}

// The root of a machine, in a small container of its own.
func TestTheRootDirectory(t *testing.T) {
	s := newSite(t)
	root := filepath.Join(s.dir, "root")
	for _, d := range []string{"etc", "proc/1", "home/proc", "diffs", "store/bk", "bin", "tools", "tmp"} {
		s.must(os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	s.must(os.WriteFile(filepath.Join(root, "etc/x"), []byte("1"), 0o644))
	s.must(os.WriteFile(filepath.Join(root, "home/proc/y"), []byte("2"), 0o644))
	s.must(os.WriteFile(filepath.Join(root, "proc/1/z"), []byte("3"), 0o644))
	s.must(os.WriteFile(filepath.Join(root, "etc/napback.conf"), []byte("Bucket bk\nEndpoint file:///store\nDiffDir /diffs\nExclude /proc\nExclude /store\nExclude /tools\nExclude /usr\nExclude /dev\nExclude /lib*\nExclude /bin\nDirectory /\n"), 0o600))
	script := lendMachine + `exec chroot "$1" /tools/napback -c /etc/napback.conf --date "$3"`
	for n := range 2 {
		cmd := inMountNamespace(t, script, root, binDir(t), day(n))
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "ROOT-") {
			t.Fatalf("%v: %s", err, out)
		}
		s.must(os.WriteFile(filepath.Join(root, "etc/later"), []byte("1"), 0o644))
	}
	s.store = filepath.Join(root, "store")
	archives := s.archives()
	list := exec.CommandContext(t.Context(), "bash", "-c", `"$1" "bk:$2" | zstd -dq | tar -t | sort`, "x", filepath.Join(binDir(t), "s3get"), archives[len(archives)-1])
	list.Env = append(os.Environ(), "AWS_ENDPOINT_URL_S3=file://"+s.store)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"./etc/later\n", "./home/proc/y\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
	for _, not := range []string{"./proc", "./store", "napback.lock", "./diffs/ROOT"} {
		if strings.Contains(string(out), not) {
			t.Errorf("%q in %s", not, out)
		}
	}
}

func TestEncryptedBackupsOpenWithGpgAlone(t *testing.T) {
	s := newSite(t)
	s.newKey("")
	home := s.gnupg.Dir
	s.configure("GpgRecipient backup@example.org\nGpgKeyring " + home + "/pubring.kbx\n" + s.block())
	s.write("secret", "the secret content")
	e := s.napback(0, day(0))
	if strings.Contains(e.stderr, "not encrypted") {
		t.Error(e)
	}
	listing := s.tool("s3ls", "--json", "-r", "bk").out
	if !strings.Contains(listing, `"stages":"tar 0, zstd 0, pgpipe 0"`) || strings.Contains(listing, `"encryption":""`) || !strings.Contains(listing, `"encryption":"`) {
		t.Error(listing)
	}
	out, err := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c",
		`cat "$1"/bk/job-0-FULL:*:0000* | gpg --homedir "$2" --batch -qd | zstd -dq | tar -xO --wildcards '*/secret'`, "x", s.store, home).Output()
	if err != nil || string(out) != "the secret content" {
		t.Errorf("%v: %q", err, out)
	}
}

func TestABadRecipientStartsNothing(t *testing.T) {
	s := newSite(t)
	s.newKey("")
	home := s.gnupg.Dir
	s.write("a", "1")
	s.configure(s.block() + "<Directory " + s.dir + ">\nGpgRecipient nobody@example.org\nGpgKeyring " + home + "/pubring.kbx\n</Directory>\n")
	e := s.tool("napback", "-c", s.conf)
	if e.code != 4 || !strings.Contains(e.stderr, "nobody@example.org") || !strings.Contains(e.stderr, "nothing was started") || s.chunks() != 0 {
		t.Error(e)
	}
}

func TestEveryCompression(t *testing.T) {
	for method, magic := range map[string]string{"zstd": "\x28\xb5\x2f\xfd", "gzip": "\x1f\x8b", "xz": "\xfd7zXZ", "none": "tmp/", "auto": "\x28\xb5\x2f\xfd"} {
		s := newSite(t)
		s.write("a", "1")
		s.configure("Compression " + method + "\n" + s.block())
		s.napback(0, day(0))
		files, _ := filepath.Glob(filepath.Join(s.store, "bk", "*:0*0"))
		data, err := os.ReadFile(files[0])
		s.must(err)
		if !strings.HasPrefix(string(data), magic) {
			t.Errorf("%s: begins with %q", method, data[:6])
		}
	}
}
