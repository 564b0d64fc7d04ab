//go:build linux

package main

import (
	"bytes"
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/napback/tartest"
)

// forger stores archives under napback's metadata, as somebody can who may write
// to the bucket and has the recipient's public key.
type forger struct {
	*site
	encrypts bool
	seal     string // what encrypts, or pretends to; "" = pgpipe
	full     string // the run of the newest FULL
}

// store stores an archive of the job, and returns its run.
func (f *forger) store(kind, source string, stream []byte) string {
	f.t.Helper()
	for start := time.Now().Unix(); time.Now().Unix() == start; {
		time.Sleep(10 * time.Millisecond) // a second has one run
	}
	meta := []string{"job=job", "type=" + kind, "slot=0", "date=" + day(0), "source=" + source, "compression=zstd"}
	if kind == "DIFF" {
		meta = append(meta, "chain="+f.full, "parent="+f.full)
	}
	pipe := "zstd -q"
	if f.encrypts {
		pipe += " | " + cmp.Or(f.seal, `"$BIN/pgpipe" -r backup@example.org`)
		meta = append(meta, "encryption=openpgp")
	}
	args := []string{"-o", "pipefail", "-c", pipe + ` | "$BIN/s3put" "$@"`, "forge"}
	for _, m := range meta {
		args = append(args, "-m", m)
	}
	cmd := exec.Command("bash", append(args, "bk:job-0-"+kind)...)
	cmd.Env = append(append(os.Environ(), "HOME="+f.dir, "AWS_ENDPOINT_URL_S3=file://"+f.site.store, "BIN="+f.bin), f.env...)
	cmd.Stdin = bytes.NewReader(stream)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("forge: %v\n%s", err, stderr.String())
	}
	run := strings.TrimSpace(string(out))
	run = run[strings.LastIndexByte(run, ':')+1:]
	if kind == "FULL" {
		f.full = run
	}
	return run
}

// attack is a chain that gets tar to write to a victim, or to empty it.
type attack struct {
	full, diff func(a *tartest.Archive, src, victim string)
	member     string // that is refused, below the source
	again      bool   // it needs a second pass, for hard links
}

func attacks() map[string]attack {
	link := func(a *tartest.Archive, src, victim string) {
		a.Dir(src, "Dp")
		a.Dir(src+"/p", "Yl")
		a.Symlink(src+"/p/l", victim)
	}
	return map[string]attack{
		"link": {full: link, member: "p/l/evil", diff: func(a *tartest.Archive, src, _ string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Nl")
			a.File(src+"/p/l/evil", "evil")
		}},
		"setuid": {full: link, member: "p/l/su", diff: func(a *tartest.Archive, src, _ string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Nl")
			a.FileMode(src+"/p/l/su", "evil", 0o6755)
		}},
		"purge": {full: link, member: "p/l/dir/", diff: func(a *tartest.Archive, src, _ string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Nl")
			a.Dir(src + "/p/l/dir")
		}},
		"no link": {full: link, member: "p/l/", diff: func(a *tartest.Archive, src, _ string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Nl")
			a.Dir(src + "/p/l")
		}},
		"hardlink": {member: "p/l/evil", again: true, full: func(a *tartest.Archive, src, victim string) {
			a.Dir(src, "Yother", "Dp")
			a.Dir(src+"/p", "Yl")
			a.File(src+"/other", "evil")
			a.Symlink(src+"/p/l", victim)
			a.Link(src+"/p/l/evil", src+"/other")
		}},
		"rename": {member: "p/d", full: func(a *tartest.Archive, src, victim string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Dd")
			a.Dir(src + "/p/d")
		}, diff: func(a *tartest.Archive, src, victim string) {
			a.Dir(src, "R"+src+"/p/d", "T"+strings.TrimPrefix(victim, "/")+"/moved", "Dp")
			a.Dir(src + "/p")
		}},
		"swap": {member: "p/d", full: func(a *tartest.Archive, src, victim string) {
			a.Dir(src, "Dp")
			a.Dir(src+"/p", "Dd")
			a.Dir(src + "/p/d")
			a.Symlink(src+"/p/d", victim)
			a.File(src+"/p/d/evil", "evil")
		}},
	}
}

// streams are an attack's archives on a victim.
func (k attack) streams(source, victim string) (full, diff []byte) {
	src := strings.TrimPrefix(source, "/")
	a := &tartest.Archive{}
	k.full(a, src, victim)
	full = a.Stream()
	if k.diff != nil {
		b := &tartest.Archive{}
		k.diff(b, src, victim)
		diff = b.Stream()
	}
	return full, diff
}

// A fixture that does nothing to tar alone would prove nothing. (What tar does
// about renames and links by itself differs between versions; one that is not
// fooled by some of them is as good.)
func TestTarAloneIsFooled(t *testing.T) {
	fooled := 0
	for name, k := range attacks() {
		source, victim, to := filepath.Join(t.TempDir(), "src"), newVictim(t), t.TempDir()
		if name == "rename" {
			to = "/" // as in place
			if err := os.MkdirAll(source, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		before := tree(t, victim)
		full, diff := k.streams(source, victim)
		for _, stream := range [][]byte{full, diff} {
			if stream == nil {
				continue
			}
			cmd := exec.Command("tar", "--extract", "--file=-", "--listed-incremental=/dev/null", "--same-permissions", "-C", to)
			cmd.Stdin = bytes.NewReader(stream)
			_ = cmd.Run()
		}
		if k.again {
			src := strings.TrimPrefix(source, "/")
			cmd := exec.Command("tar", "--extract", "--file=-", "-C", to, "--transform=flags=r;s,^"+src+"/other$,"+src+"/p/l/evil,", src+"/other")
			cmd.Stdin = bytes.NewReader(full)
			_ = cmd.Run()
		}
		if difference(before, tree(t, victim)) != "" {
			fooled++
		} else {
			t.Logf("tar is not fooled by %s", name)
		}
	}
	if fooled < 5 {
		t.Errorf("tar is fooled by %d only", fooled)
	}
}

func newVictim(t *testing.T) string {
	t.Helper()
	victim := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(victim, "precious"), []byte("p"), 0o600),
		os.Mkdir(filepath.Join(victim, "dir"), 0o700),
		os.WriteFile(filepath.Join(victim, "dir", "file"), []byte("f"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return victim
}
