//go:build linux

package guard

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/tartest"
)

// shell runs a script in a directory.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	cmd := exec.Command("bash", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// tar makes an archive as napback does, or as backup.sh does (format gnu).
func tar(t *testing.T, format, snapshot, src string, options ...string) []byte {
	t.Helper()
	member := strings.TrimPrefix(src, "/")
	if member == "" {
		member = "."
	}
	args := append([]string{"--create", "--file=-", "--format=" + format, "--listed-incremental=" + snapshot, "--no-check-device", "--sparse", "--xattrs", "--acls"}, options...)
	if format == "posix" {
		args = append(args, "--pax-option=delete=atime,delete=ctime")
	}
	cmd := exec.Command("tar", append(args, "-C", "/", "--", member)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState.ExitCode() != 1 { // 1: a file changed while it was read
		t.Fatalf("tar: %v\n%s", err, stderr.String())
	}
	return out
}

// What tar makes of any tree goes through as it is.
func TestWhatTarWritesGoesThrough(t *testing.T) {
	for _, format := range []string{"posix", "gnu"} {
		for name, options := range map[string][]string{
			"plain": nil, "one file system": {"--one-file-system"}, "caches": {"--exclude-caches", "--exclude=e"}, "tags": {"--exclude-tag-under=f"},
			"selinux": {"--selinux"}, "seek": {"--hole-detection=raw"},
		} {
			t.Run(format+" "+name, func(t *testing.T) {
				tooltest.NeedsRoot(t, "makes device nodes")
				dir := t.TempDir()
				src, snapshot := filepath.Join(dir, "src"), filepath.Join(dir, "snapshot")
				shell(t, dir, `mkdir src; cd src; printf x >f; ln f hard; ln -s /etc soft; mkfifo fifo; mknod null c 1 3; mknod disk b 8 1
					mkdir -p d/e/f g/empty; printf y >d/e/f/file; ln f d/link; printf x >$'new\nline'; printf x >$'\xff\xfe bytes'; mkdir 'with space'
					printf s >suid; chmod 6755 suid; setfattr -n user.a=b%c -v hello f; setfacl -m u:1:r f; setfacl -d -m u:2:rwx d
					for i in $(seq 60); do printf block | dd bs=64K seek=$i of=sparse conv=notrunc status=none; truncate -s +1M sparse; done
					printf x >tailsparse; truncate -s 3M tailsparse; truncate -s 1M hole;
					long=$(printf 'n%.0s' $(seq 200)); mkdir -p $long/$long/$long; printf x >$long/$long/$long/$long; ln -s $long/$long soft2; ln $long/$long/$long/$long zlink
					printf x >$long/$long/sp; truncate -s 1M $long/$long/sp
					n100=$(printf 'h%.0s' $(seq 100)); printf x >$n100; touch -d 1950-01-01 f; touch -d 2999-01-01 g; chown 3000000:3000001 d
					mkdir cache; printf 'Signature: 8a477f597d28d172789f06886806bc55\n' >cache/CACHEDIR.TAG; printf x >cache/x`)
				if name != "seek" { // it would read all of it
					shell(t, src, "truncate -s 9G huge")
				}
				for i, change := range []string{"", "rm -r d; mkdir soft2.d; mv 'with space' g; mv g/empty h", "rm soft; mkdir soft; printf x >soft/x; rm -r g; printf y >g"} {
					shell(t, src, change)
					archive := tar(t, format, snapshot, src, options...)
					out, err := guarded(archive, Policy{Source: src})
					if i == 1 && err != nil && strings.Contains(err.Error(), "on a rename") {
						continue // napback takes such directories out of the snapshot
					}
					if err != nil {
						t.Fatalf("archive %d: %v", i, err)
					}
					if !bytes.Equal(out, archive) {
						t.Errorf("archive %d: %d bytes went in, %d came out, or others", i, len(archive), len(out))
					}
				}
			})
		}
	}
}

func TestTheRootDirectoryGoesThrough(t *testing.T) {
	storetest.NotQuick(t, "archives a part of this machine")
	dir := t.TempDir()
	archive := tar(t, "posix", filepath.Join(dir, "s"), "/", "--one-file-system", "--no-wildcards-match-slash", "--anchored",
		"--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./usr/*", "--exclude=./tmp/*", "--exclude=./var/*", "--exclude=./home/*", "--exclude=./root/*",
		"--exclude=./opt/*", "--exclude=./run/*", "--exclude=./dev/*", "--exclude=./mnt/*", "--exclude=./srv/*", "--warning=none", "--ignore-failed-read")
	if out, err := guarded(archive, Policy{Source: "/"}); err != nil || !bytes.Equal(out, archive) {
		t.Error(err)
	}
}

// A directory with millions of files is passed on without being kept.
func TestMemoryIsBoundedWhateverTheArchiveSays(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	runtime.GC() // what other tests have left
	before := debug.SetGCPercent(20)
	defer debug.SetGCPercent(before)
	for name, c := range map[string]struct {
		entry  func(i int) string
		n      int
		record string
		want   string
	}{
		"10 million files":    {entry: func(i int) string { return fmt.Sprintf("Yfile number %08d", i) }, n: 10_000_000},
		"too many sub":        {entry: func(i int) string { return fmt.Sprintf("D%08d", i) }, n: 9_000_000, want: "more directories than"},
		"a record of 600 MiB": {record: "path", n: 600 << 20, want: "of 629145600 bytes"},
		"an attribute":        {record: "SCHILY.xattr.user.x", n: 600 << 20, want: "of 629145600 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			read, write := io.Pipe()
			go func() {
				write.CloseWithError(generate(write, c.entry, c.n, c.record))
			}()
			peak := &peakWriter{}
			err := Copy(peak, read, Policy{Source: source})
			read.Close()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if peak.most > 200<<20 {
				t.Errorf("%d MiB in use", peak.most>>20)
			}
		})
	}
}

func generate(w io.Writer, entry func(int) string, n int, record string) error {
	var a tartest.Archive
	key := record
	size := n
	if entry != nil {
		key, size = "GNU.dumpdir", (len(entry(0))+1)*n+1
	}
	length := size + len(key) + 3
	for len(fmt.Sprint(length+len(fmt.Sprint(length)))) != len(fmt.Sprint(length)) {
		length++
	}
	length += len(fmt.Sprint(length))
	length = len(fmt.Sprint(length)) + 1 + len(key) + 1 + size + 1
	head := fmt.Sprintf("%d %s=", length, key)
	a.Block(tartest.Header{Name: "x", Type: 'x', Size: int64(length)})
	if _, err := w.Write(append(a.Bytes(), head...)); err != nil {
		return err
	}
	if entry == nil {
		_, err := io.CopyN(w, zeros{}, int64(n))
		return err
	}
	var b bytes.Buffer
	for i := range n {
		b.WriteString(entry(i))
		b.WriteByte(0)
		if b.Len() > 1<<20 || i == n-1 {
			if _, err := b.WriteTo(w); err != nil {
				return err
			}
		}
	}
	b.WriteString("\x00\n")
	b.Write(make([]byte, (512-length%512)%512))
	a.Reset()
	a.Block(tartest.Header{Name: "home/me/", Type: '5'})
	b.Write(a.Stream())
	_, err := b.WriteTo(w)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// peakWriter looks how much memory is in use while it is written to.
type peakWriter struct {
	most uint64
	n    int
}

func (w *peakWriter) Write(p []byte) (int, error) {
	if w.n++; w.n%16 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapInuse)
	}
	return len(p), nil
}

// Random bytes in a good archive never lead out.
func TestNoDamageLeadsOut(t *testing.T) {
	storetest.NotQuick(t, "tries 20,000 archives")
	a := &tartest.Archive{}
	whole(a)
	a.File("home/me/x", "content")
	a.Symlink("home/me/y", "/etc")
	a.Link("home/me/z", "home/me/x")
	good := a.Stream()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		bad := bytes.Clone(good)
		for range 1 + r.IntN(3) {
			bad[r.IntN(len(bad))] ^= byte(1 << r.IntN(8))
		}
		out, err := guarded(bad, Policy{Source: source})
		if err == nil && !bytes.Equal(out, bad[:len(out)]) {
			t.Fatal("what comes out is not what went in")
		}
	}
}

func BenchmarkCopy(b *testing.B) {
	a := &tartest.Archive{}
	a.Dir("home/me", "Yx")
	a.Block(tartest.Header{Name: "home/me/x", Type: '0', Size: 1 << 30})
	head := bytes.Clone(a.Bytes())
	b.SetBytes(1 << 30)
	for b.Loop() {
		read, write, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			_, _ = write.Write(head)
			chunk := make([]byte, 1<<20)
			for range 1 << 10 {
				_, _ = write.Write(chunk)
			}
			_, _ = write.Write(make([]byte, 1024))
			write.Close()
		}()
		if err := Copy(io.Discard, read, Policy{Source: source}); err != nil {
			b.Fatal(err)
		}
		read.Close()
	}
}
