package main

import (
	"bytes"
	"io"
	"os/exec"
	"syscall"
	"testing"
)

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// peak runs pgpipe as a process and returns the most memory that it held.
func peak(t *testing.T, stdin io.Reader, stdout io.Writer, args ...string) int64 {
	t.Helper()
	cmd := exec.Command("pgpipe", args...)
	var diag bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &diag
	if err := cmd.Run(); err != nil {
		t.Fatalf("pgpipe %q: %v\n%s", args, err, diag.String())
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
}

func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
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
