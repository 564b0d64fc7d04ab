package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"napback/internal/storetest"
)

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// peak runs pgpipe as a process and returns the most memory that it held, in
// bytes, until it has read all of stdin.
func peak(t *testing.T, stdin io.Reader, stdout io.Writer, args ...string) int64 {
	t.Helper()
	cmd := exec.Command("pgpipe", args...)
	var diag bytes.Buffer
	meter := &meter{r: stdin, cmd: cmd}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = meter, stdout, &diag
	if err := cmd.Run(); err != nil {
		t.Errorf("pgpipe %q: %v\n%s", args, err, diag.String())
	}
	if meter.peak == 0 {
		t.Errorf("pgpipe %q: its memory was not measured", args)
	}
	return meter.peak
}

// meter reads a process's peak of resident memory while the process waits for
// the end of its stdin. (What wait(2) tells includes the parent's.)
type meter struct {
	r    io.Reader
	cmd  *exec.Cmd
	peak int64
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err == io.EOF {
		status, failed := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.cmd.Process.Pid))
		if failed != nil {
			return n, failed
		}
		_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
		if _, failed := fmt.Sscan(string(after), &m.peak); failed != nil {
			return n, failed
		}
		m.peak <<= 10 // kB
	}
	return n, err
}

func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	_, keys := commonKeys()
	k := keys[2]
	encrypt := []string{"-R", k.public, "--sign", k.secret}
	decrypt := []string{"-d", "-k", k.secret, "--verify", k.public}
	both := func(size int64) (enc, dec int64) {
		r, w := io.Pipe()
		sealed := make(chan int64)
		go func() {
			sealed <- peak(t, io.LimitReader(zeros{}, size), w, encrypt...)
			w.Close()
		}()
		count := &counter{}
		done := make(chan int64)
		go func() { done <- peak(t, r, count, decrypt...) }()
		enc, dec = <-sealed, 0
		dec = <-done
		if count.n != size {
			t.Errorf("%d bytes came back of %d", count.n, size)
		}
		return enc, dec
	}
	const small, big, growth = 8 << 20, 300 << 20, 16 << 20
	smallEnc, smallDec := both(small)
	bigEnc, bigDec := both(big)
	if bigEnc > smallEnc+growth || bigDec > smallDec+growth {
		t.Errorf("peak memory: encrypt %d for %d bytes, %d for %d; decrypt %d and %d",
			smallEnc, small, bigEnc, big, smallDec, bigDec)
	}
	t.Logf("peak memory: encrypt %d MiB, decrypt %d MiB", bigEnc>>20, bigDec>>20)
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}
