// Package scripts tests the shell scripts of this folder.
package scripts

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/tartest"
)

func TestMain(m *testing.M) { os.Exit(tooltest.Main(m, "pgpipe", "slotcalc", "napback")) }

// job is a directory that is backed up by hand, with all that it takes.
type job struct {
	t                     *testing.T
	env                   []string
	source, state, secret string
}

func newJob(t *testing.T, store tooltest.Store) *job {
	t.Helper()
	g := tooltest.GnuPGHome(t)
	g.GPG(t, nil, "--passphrase", "", "--quick-generate-key", "me@example.org", "default", "default", "never")
	j := &job{t: t, env: append(store.Env, "GNUPGHOME="+g.Dir),
		source: filepath.Join(t.TempDir(), "a source"), state: t.TempDir(), secret: g.File(t, g.GPG(t, nil, "--export-secret-keys"))}
	if err := os.MkdirAll(filepath.Join(j.source, "sub dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	return j
}

// run runs a command and returns what it wrote.
func (j *job) run(status int, name string, args ...string) string {
	j.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = j.env
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		j.t.Fatalf("%s %q: exit status %d instead of %d\n%s", name, args, got, status, out)
	}
	return string(out)
}

func (j *job) write(name, content string) {
	j.t.Helper()
	if err := os.WriteFile(filepath.Join(j.source, name), []byte(content), 0o644); err != nil {
		j.t.Fatal(err)
	}
}

func (j *job) remove(name string) {
	j.t.Helper()
	if err := os.RemoveAll(filepath.Join(j.source, name)); err != nil {
		j.t.Fatal(err)
	}
}

// backup runs backup.sh as on that day. Runs sort by the second in which they
// began, and no real day is over in less.
func (j *job) backup(status int, day string) string {
	j.t.Helper()
	for start := time.Now().Unix(); time.Now().Unix() == start; {
		time.Sleep(10 * time.Millisecond)
	}
	return j.run(status, "env", "TODAY="+day, "sh", "backup.sh", "mybackups", j.source, "me@example.org", j.state)
}

// same compares a restored tree with the source.
func (j *job) same(target string) {
	j.t.Helper()
	j.run(0, "diff", "-r", "--no-dereference", j.source, filepath.Join(target, j.source))
}

// threeDays makes a FULL and two DIFFs, one of them twice.
func (j *job) threeDays() {
	j.t.Helper()
	j.write("kept", "kept")
	j.write("sub dir/deleted later", "x")
	if out := j.backup(0, "2026-11-19"); !strings.Contains(out, "-FULL:") {
		j.t.Fatalf("the first backup is not full: %s", out)
	}
	j.write("second", "second day")
	j.remove("sub dir/deleted later")
	j.backup(0, "2026-11-20")
	j.write("third", "later on the second day")
	if out := j.backup(0, "2026-11-20"); !strings.Contains(out, "-DIFF:") {
		j.t.Fatalf("the second backup is not incremental: %s", out)
	}
	j.write("fourth\nwith a line end", "third day")
	j.backup(0, "2026-11-21")
}

func TestBackupComesBackWithAndWithoutTheTools(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	j := newJob(t, store)
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	j.threeDays()
	base := filepath.Base(j.source)
	t.Run("restore.sh", func(t *testing.T) {
		target := t.TempDir()
		j.run(0, "sh", "restore.sh", "mybackups", base, j.secret, target)
		j.same(target)
		if out := j.run(2, "sh", "restore.sh", "mybackups", base, j.secret, target); !strings.Contains(out, "not empty") {
			t.Errorf("a second time: %s", out)
		}
		j.run(4, "sh", "restore.sh", "mybackups", "absent", j.secret, t.TempDir())
	})
	t.Run("restore-without-napback.sh", func(t *testing.T) {
		target := t.TempDir()
		j.run(0, "sh", "restore-without-napback.sh", filepath.Join(store.Dir, "mybackups"), base, target)
		j.same(target)
		j.run(4, "sh", "restore-without-napback.sh", filepath.Join(store.Dir, "mybackups"), "absent", t.TempDir())
	})
	t.Run("damage", func(t *testing.T) {
		chunks, _ := filepath.Glob(filepath.Join(store.Dir, "mybackups", "*-DIFF:*:0*"))
		data, err := os.ReadFile(chunks[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(chunks[0], data, 0o600); err != nil {
			t.Fatal(err)
		}
		for code, args := range map[int][]string{
			1: {"restore.sh", "mybackups", base, j.secret, t.TempDir()},
			5: {"restore-without-napback.sh", filepath.Join(store.Dir, "mybackups"), base, t.TempDir()},
		} {
			if out := j.run(code, "sh", args...); !strings.Contains(out, "damaged") || !strings.Contains(out, "not complete") {
				t.Errorf("%s says %s", args[0], out)
			}
		}
	})
}

func TestBackupComesBackFromS3WithTheAWSCommandLine(t *testing.T) {
	server := storetest.Versitygw(t)
	j := newJob(t, tooltest.Server(server, server.Endpoint))
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	j.threeDays()
	target := t.TempDir()
	j.run(0, "sh", "restore-without-napback.sh", "s3://mybackups", filepath.Base(j.source), target)
	j.same(target)
}

// A slot's earlier archive goes, but none that has an owner: napback's may have
// the same name.
func TestBackupByHandRemovesNothingOfOthers(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	j := newJob(t, store)
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	slot, _, _ := strings.Cut(j.run(0, "slotcalc", "simple", "--date", "2026-11-19", "--diffs", "6", "--fulls", "4"), " ")
	name := "mybackups:" + filepath.Base(j.source) + "-" + slot + "-DIFF"
	foreign := strings.TrimSpace(store.Must(t, strings.NewReader("theirs"), "s3put", "--owner", "them", name))
	own := strings.TrimSpace(store.Must(t, strings.NewReader("ours"), "s3put", "-m", "owner=me", name))
	j.write("kept", "kept")
	if out := j.backup(0, "2026-11-19"); !strings.Contains(out, "-"+slot+"-FULL:") {
		t.Fatal(out)
	}
	out := j.run(0, "s3ls", "-r", "mybackups")
	if !strings.Contains(out, strings.TrimPrefix(foreign, "mybackups:")) || strings.Contains(out, strings.TrimPrefix(own, "mybackups:")) {
		t.Errorf("%s is left out or %s is left:\n%s", foreign, own, out)
	}
}

// What is no archive, what a wrong clock has named, and what another host has
// stored under the same name are not taken for the newest.
func TestOnlyArchivesOfOneOwnerAndOfThisDayComeBack(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	j := newJob(t, store)
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	j.threeDays()
	base, bucket := filepath.Base(j.source), filepath.Join(store.Dir, "mybackups")
	plant := func(run, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bucket, base+"-0-FULL:"+run+":manifest"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plant(time.Now().UTC().Add(time.Hour).Format("20060102T150405Z")+"-aaaa", `{"format":"napback-archive/1","claimed":"2026-11-21T00:00:00Z"}`)
	full, _ := filepath.Glob(filepath.Join(bucket, base+"-*-FULL:*-????:manifest"))
	var manifest []byte
	for _, path := range full {
		if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(`"sums"`)) {
			manifest = data
		}
	}
	future := time.Now().UTC().Add(25*time.Hour).Format("20060102T150405Z") + "-aaaa"
	plant(future, strings.Replace(string(manifest), `"meta"`, "\"owner\": \"\",\n  \"meta\"", 1))
	scripts := func(status int, owner ...string) (out string) {
		t.Helper()
		for _, args := range [][]string{{"restore.sh", "mybackups", base, j.secret}, {"restore-without-napback.sh", bucket, base}} {
			target := t.TempDir()
			out += j.run(status, "sh", append(append(args, target), owner...)...)
			if status == 0 {
				j.same(target)
			} else if entries, _ := os.ReadDir(target); len(entries) > 0 {
				t.Errorf("%s extracted %v", args[0], entries)
			}
		}
		return out
	}
	scripts(0)
	// Another host with the same name, and with owner in meta alone, which is nobody's.
	other := "mybackups:" + base + "-0-FULL"
	store.Must(t, strings.NewReader("not what we want"), "s3put", "--keep", "--owner", "other", "-m", "owner=me", other)
	if out := scripts(2); strings.Count(out, "several owners have stored archives") != 2 || strings.Count(out, "'' 'other'") != 2 {
		t.Errorf("they say %s", out)
	}
	scripts(0, "")
	scripts(4, "nobody")
}

// Whoever can write to the bucket can write archives.
func TestTheScriptExtractsNothingThroughALink(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	for name, add := range map[string]func(a *tartest.Archive, victim string){
		"below": func(a *tartest.Archive, victim string) {
			a.Dir("src", "Yl")
			a.Symlink("src/l", victim)
			a.File("src/l/evil", "evil")
		},
		"swap": func(a *tartest.Archive, victim string) {
			a.Dir("src", "Dl")
			a.Dir("src/l")
			a.Symlink("src/l", victim)
			a.File("src/l/evil", "evil")
		},
		"arrow": func(a *tartest.Archive, victim string) {
			a.Dir("src", "Yl -> x")
			a.Symlink("src/l -> x", victim)
			a.Symlink("src/l -> x/evil", victim)
		},
		"hard link": func(a *tartest.Archive, victim string) {
			a.Dir("src", "Yl")
			a.Symlink("src/l", victim)
			a.Link("src/x", "src/l/precious")
		},
		"up":     func(a *tartest.Archive, _ string) { a.Dir("src", "Yl"); a.File("src/../evil", "evil") },
		"rename": func(a *tartest.Archive, victim string) { a.Dir("src", "Rsrc", "T"+victim[1:]+"/evil", "Yl") },
		"elsewhere": func(a *tartest.Archive, _ string) {
			a.Dir("src", "Yl")
			a.Dir("other", "Yl")
		},
	} {
		store := tooltest.File(t)
		j := newJob(t, store)
		victim := t.TempDir()
		if err := os.WriteFile(filepath.Join(victim, "precious"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		a := &tartest.Archive{}
		add(a, victim)
		j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
		store.Must(t, bytes.NewReader(a.Stream()), "s3put", "-m", "compression=none", "mybackups:src-0-FULL")
		target := t.TempDir()
		t.Log(name)
		out := j.run(5, "sh", "restore-without-napback.sh", filepath.Join(store.Dir, "mybackups"), "src", target)
		if entries, _ := os.ReadDir(victim); len(entries) != 1 || !strings.Contains(out, "refused") {
			t.Errorf("%s: outside are %v; %s", name, entries, out)
		}
		if entries, _ := os.ReadDir(target); len(entries) != 0 {
			t.Errorf("%s: extracted are %v", name, entries)
		}
	}
}

// The aws of Debian 12 does not know the variables for an endpoint.
func TestTheEndpointReachesAnOldAWSCommandLine(t *testing.T) {
	store := tooltest.File(t)
	j := newJob(t, store)
	old := t.TempDir()
	script := "#!/bin/sh\necho \"$*\" >>" + old + "/calls\n"
	if err := os.WriteFile(filepath.Join(old, "aws"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, set := range [][2]string{{"AWS_ENDPOINT_URL", "http://general"}, {"AWS_ENDPOINT_URL_S3", "http://special"}} {
		name, want := set[0], set[1]
		j.env = append(j.env, name+"="+want, "PATH="+old+":"+os.Getenv("PATH"))
		j.run(4, "sh", "restore-without-napback.sh", "s3://mybackups", "absent", t.TempDir())
		if calls, _ := os.ReadFile(filepath.Join(old, "calls")); !strings.Contains(string(calls), "--endpoint-url "+want) {
			t.Errorf("%s: %s", name, calls)
		}
	}
}

func TestStageThatFailsKeepsTheLastBackup(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	j := newJob(t, store)
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	j.threeDays()
	before := j.run(0, "s3ls", "-r", "mybackups")
	j.write("lost?", "must be in the next backup")
	broken := t.TempDir()
	for _, stage := range []string{"tar", "zstd", "pgpipe"} {
		// The program writes a little and then fails, as one that is killed.
		script := "#!/bin/sh\nhead -c 100\nexit 9\n"
		if stage == "tar" {
			script = "#!/bin/sh\necho part of it\nexit 2\n"
		}
		path := filepath.Join(broken, stage)
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		good := j.env
		j.env = append(good, "PATH="+broken+":"+os.Getenv("PATH"))
		if out := j.backup(6, "2026-11-22"); !strings.Contains(out, stage) {
			t.Errorf("%s: %s", stage, out)
		}
		j.env = good
		os.Remove(path)
		if after := j.run(0, "s3ls", "-r", "mybackups"); after != before {
			t.Errorf("%s: the bucket held\n%snow\n%s", stage, before, after)
		}
	}
	j.backup(0, "2026-11-22")
	target := t.TempDir()
	j.run(0, "sh", "restore.sh", "mybackups", filepath.Base(j.source), j.secret, target)
	j.same(target)
}

func TestNothingIsDoneWhenNothingIsDueOrAsked(t *testing.T) {
	j := newJob(t, tooltest.File(t))
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	j.run(2, "sh", "backup.sh", "mybackups", j.source)
	j.run(2, "sh", "restore.sh", "mybackups")
	j.run(2, "sh", "restore-without-napback.sh")
	j.backup(2, "2026-02-30")
	if out := j.run(0, "s3ls", "mybackups"); strings.Count(out, "\n") != 1 {
		t.Errorf("the bucket holds\n%s", out)
	}
}
