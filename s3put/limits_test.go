package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestMemoryStaysInsideTheBudget: s3put and s3get have never had more than
// --memory and 64 MiB, however long the stream.
func TestMemoryStaysInsideTheBudget(t *testing.T) {
	server := storetest.Versitygw(t)
	for _, c := range []struct {
		name   string
		store  tooltest.Store
		length int64
		memory int64
		flags  []string
	}{
		{"file, defaults", tooltest.File(t), 2 << 30, 256 << 20, nil},
		{"versitygw, defaults", tooltest.Server(server, server.Endpoint), 2 << 30, 256 << 20, nil},
		{"small chunks", tooltest.Server(server, server.Endpoint), 512 << 20, 64 << 20, []string{"-z", "5M", "--memory", "64MiB"}},
		{"one chunk is all", tooltest.Server(server, server.Endpoint), 512 << 20, 64 << 20, []string{"-z", "64MiB", "--memory", "64MiB"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, out := pipe(t)
			p := c.store.Start(t, in, tooltest.Plain(t, "s3put"), append(c.flags, "--create-bucket", "bkt:x")...)
			in.Close()
			block := tooltest.Random(8, 1<<20)
			for range c.length >> 20 {
				if _, err := out.Write(block); err != nil {
					t.Fatal(err, p.Wait().Err)
				}
			}
			within(t, "s3put", p.Resident(), c.memory)
			out.Close()
			if r := p.Wait(); r.Code != 0 {
				t.Fatalf("exit status %d\n%s", r.Code, r.Err)
			}
			var flags []string
			if c.flags != nil {
				flags = c.flags[2:]
			}
			in, out = pipe(t)
			p = c.store.StartWith(t, func(cmd *exec.Cmd) { cmd.Stdout = out }, "s3get", append(flags, "bkt:x")...)
			out.Close()
			if n, err := io.CopyN(io.Discard, in, c.length-1); err != nil {
				t.Fatal(n, err, p.Wait().Err)
			}
			// The last byte may be in the pipe, and the process at its end.
			if resident, ok := p.TryResident(); ok {
				within(t, "s3get", resident, c.memory)
			} else {
				t.Log("s3get had ended before its memory could be read")
			}
			io.Copy(io.Discard, in)
			if r := p.Wait(); r.Code != 0 {
				t.Fatalf("exit status %d\n%s", r.Code, r.Err)
			}
			c.store.Must(t, nil, "s3rm", "-y", "bkt:x")
		})
	}
}

func within(t *testing.T, tool string, resident, memory int64) {
	t.Helper()
	t.Logf("%s had %d MiB", tool, resident>>20)
	if resident > memory+64<<20 {
		t.Errorf("%s had %d MiB, more than %d and 64", tool, resident>>20, memory>>20)
	}
	if resident < 5<<20 {
		t.Errorf("%s had %d KiB: that is not the tool's memory", tool, resident>>10)
	}
}

// TestFullDiskLeavesNothingHalfWritten: on a file system of its own, that the
// stream does not fit into.
func TestFullDiskLeavesNothingHalfWritten(t *testing.T) {
	store := tooltest.File(t)
	dir := filepath.Join(store.Dir, "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	store.Env = append(store.Env, "AWS_ENDPOINT_URL=file://"+dir)
	// The mount is seen by this one script alone and ends with it. In a chroot
	// whose root is no mount point it may be seen outside, and is taken back.
	defer func() { _ = exec.Command("umount", "--lazy", dir).Run() }()
	script := `
		mount --make-rprivate / 2>/dev/null
		mount -t tmpfs -o size=4m tmpfs "$0" || exit 90
		printf good | s3put --create-bucket bkt:x || exit 91
		head -c 6000000 /dev/zero | s3put -z 1000000 bkt:x
		echo "status $?"
		find "$0" -type f | grep -v '^.*/x:' 
		find "$0" -type f | wc -l
		s3get bkt:x
		mkdir "$0/spool"
		head -c 6000000 /dev/zero | s3put --spool "$0/spool" -z 6000000 bkt:x
		echo " status $?"
		find "$0" -type f | wc -l`
	unshare := tooltest.Unshare()
	r := store.Run(t, nil, unshare[0], append(unshare[1:], "sh", "-c", script, dir)...)
	_, rest, _ := strings.Cut(r.Out, "\n") // behind the address of the good one
	if r.Code != 0 || rest != "status 1\n3\ngood status 1\n3\n" {
		t.Errorf("exit status %d, stdout %q", r.Code, rest)
	}
	lines := strings.SplitAfter(r.Err, "\n")
	if len(lines) != 4 || !strings.HasPrefix(r.Err, `s3put: error: put object "x:`) || !strings.HasSuffix(lines[0], ": no space left on device\n") ||
		lines[1] != "s3put: hint: make room on the disk\n" || !strings.HasPrefix(lines[2], "s3put: error: spool: write ") {
		t.Errorf("stderr:\n%s", r.Err)
	}
}

// TestBandwidthLimitSlowsDown: no more than a coarse lower bound can be told.
func TestBandwidthLimitSlowsDown(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	store := tooltest.File(t)
	data := tooltest.Random(9, 300_000)
	began := time.Now()
	store.Must(t, strings.NewReader(string(data)), "s3put", "--create-bucket", "--bwlimit", "200k", "-z", "50k", "bkt:x")
	if d := time.Since(began); d < time.Second {
		t.Errorf("300 kB at 200 kB/s took %v", d)
	}
	began = time.Now()
	if out := store.Must(t, nil, "s3get", "--bwlimit", "200k", "bkt:x"); out != string(data) {
		t.Error("it came back changed")
	}
	if d := time.Since(began); d < time.Second {
		t.Errorf("reading 300 kB at 200 kB/s took %v", d)
	}
}

// TestProgressOnATerminal: bytes and time are shown there without asking.
func TestProgressOnATerminal(t *testing.T) {
	store := tooltest.File(t)
	command := "s3put -z 10 --create-bucket bkt:x -- printf 0123456789abcdef"
	r := store.Run(t, nil, "script", "-qefc", command, "/dev/null")
	if r.Code != 0 || !strings.Contains(r.Out, "s3put: 16 B in ") || !strings.Contains(r.Out, "\nbkt:x:") {
		t.Errorf("exit status %d, %q", r.Code, fmt.Sprint(r.Out, r.Err))
	}
}
