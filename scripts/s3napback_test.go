package scripts

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// s3napback stores the source as s3napback did, into a slot and on a day of
// March 2013: tar, gzip and gpg, in chunks of js3tream.
func (j *job) s3napback(dir string, slot int, kind, encrypt string) {
	j.t.Helper()
	diff := filepath.Join(j.state, "s3napback.diff")
	if kind == "FULL" {
		os.Remove(diff)
	}
	name := fmt.Sprintf("%s%s-%d-%s", dir, j.source, slot, kind)
	j.run(0, "sh", "-c", `set -e
		mkdir -p "$(dirname "$1")"
		tar -g "$2" -C / -czp "$3" 2>/dev/null | eval "$4" | split -a 13 -d -b 100 - "$1:"
		rm -f "$1:-"
		touch -d "2013-03-$5" "$1":*`, "sh", name, diff, j.source, encrypt, fmt.Sprintf("%02d", 1+slot))
}

func TestBackupsOfS3napbackComeBack(t *testing.T) {
	for how, encrypt := range map[string]string{"encrypted": "gpg --batch -q --trust-model always -r me@example.org -e", "plain": "cat"} {
		t.Run(how, func(t *testing.T) {
			store := tooltest.File(t)
			j := newJob(t, store)
			j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
			dir := filepath.Join(store.Dir, "mybackups")
			j.write("kept", strings.Repeat("kept", 1000))
			j.write("old", "of the older FULL")
			j.s3napback(dir, 0, "FULL", encrypt)
			j.remove("old")
			j.write("gone", "deleted later")
			j.write("sub dir/changed", "before")
			j.s3napback(dir, 7, "FULL", encrypt)
			j.write("sub dir/changed", "after")
			j.s3napback(dir, 8, "DIFF", encrypt)
			j.remove("gone")
			j.write("new", "new")
			j.s3napback(dir, 9, "DIFF", encrypt)
			j.write("newest", "newest")
			j.s3napback(dir, 10, "DIFF", encrypt)

			target := t.TempDir()
			out := j.run(0, "sh", "restore-s3napback.sh", "mybackups", j.source, target)
			j.same(target)
			if strings.Contains(out, "-0-FULL") || !strings.Contains(out, "2013-03-11T00:00:00Z js3tream") {
				t.Errorf("it says %s", out)
			}
			if out := j.run(2, "sh", "restore-s3napback.sh", "mybackups", j.source, target); !strings.Contains(out, "not empty") {
				t.Errorf("a second time: %s", out)
			}
			if out := j.run(4, "sh", "restore-s3napback.sh", "mybackups", "/absent", t.TempDir()); !strings.Contains(out, "no full archive") {
				t.Errorf("absent: %s", out)
			}
			older := t.TempDir()
			j.run(0, "sh", "restore-s3napback.sh", "mybackups", j.source, older, j.source+"-0-FULL")
			if _, err := os.Stat(filepath.Join(older, j.source, "old")); err != nil {
				t.Error(err)
			}

			name := dir + j.source
			chunks, _ := filepath.Glob(name + "-9-DIFF:*")
			for _, chunk := range chunks {
				os.Remove(chunk)
			}
			if out := j.run(5, "sh", "restore-s3napback.sh", "mybackups", j.source, t.TempDir()); !strings.Contains(out, "slot 8 is followed by slot 10") {
				t.Errorf("a missing DIFF: %s", out)
			}
			j.run(0, "sh", "restore-s3napback.sh", "mybackups", j.source, t.TempDir(), j.source+"-7-FULL", j.source+"-8-DIFF", j.source+"-10-DIFF")
			chunks, _ = filepath.Glob(name + "-10-DIFF:*")
			for _, chunk := range chunks {
				os.Remove(chunk)
			}
			last, _ := filepath.Glob(name + "-7-FULL:*")
			if err := os.Truncate(last[len(last)-1], 10); err != nil {
				t.Fatal(err)
			}
			if out := j.run(1, "sh", "restore-s3napback.sh", "mybackups", j.source, t.TempDir()); !strings.Contains(out, "not complete") {
				t.Errorf("a cut FULL: %s", out)
			}
			os.Remove(last[0])
			if out := j.run(5, "sh", "restore-s3napback.sh", "mybackups", j.source, t.TempDir()); !strings.Contains(out, "damaged") {
				t.Errorf("a FULL without its beginning: %s", out)
			}
		})
	}
	j := newJob(t, tooltest.File(t))
	j.run(2, "sh", "restore-s3napback.sh", "mybackups", "/home")
}

func TestExamplesForThoseWhoMoveOverRun(t *testing.T) {
	store := tooltest.File(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "back")
	s := newSandbox(t, store, "/usr/local/share/napback", here, "/tmp/byhand", filepath.Join(t.TempDir(), "byhand"), "/tmp/back", back)
	s.source = filepath.Join(s.dir, "home")
	s.run(0, "s3put", "--create-bucket", "oldtar:x", "--", "true")
	s.run(0, "s3put", "--create-bucket", "oldbackups:x", "--", "true")
	dir := filepath.Join(store.Dir, "oldbackups")
	const gpg = "gpg --batch -q --trust-model always -r me@example.org -e"
	s.s3napback(dir, 7, "FULL", gpg)
	s.write("me/new", "new")
	s.s3napback(dir, 8, "DIFF", gpg)
	s.run(0, "sh", "-c", `set -e
		mkdir "$1/MySQL"
		echo '-- a dump' | gzip | `+gpg+` | split -a 13 -d -b 100 - "$1/MySQL/all-3:"
		printf 'a tar' | split -a 10 -d -b 2 - "$2/"`, "sh", dir, filepath.Join(store.Dir, "oldtar"))
	work := filepath.Join(s.dir, "work")
	ran := tooltest.RunExamples(t, "napback-migrate.7", work, s.env, s.replace.Replace)
	if len(ran) < 10 || !strings.Contains(ran[0], "MySQL/all-3") {
		t.Errorf("%d examples print %q", len(ran), ran)
	}
	s.same(back)
	if got := s.run(0, "cat", filepath.Join(work, "all.sql"), filepath.Join(work, "old.tar")); got != "-- a dump\na tar" {
		t.Errorf("what came back is %q", got)
	}
	if out := s.run(0, "s3ls", "-a", "oldbackups"); strings.Count(out, "\n") != 1 || !strings.Contains(out, "committed   x") {
		t.Errorf("left are\n%s", out)
	}
	if out := s.run(0, "s3ls", "newbackups"); !strings.Contains(out, "old/MySQL/all-3  from s3napback") {
		t.Errorf("the copy is not there:\n%s", out)
	}
}
