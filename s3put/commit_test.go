package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"napback/internal/tooltest"
)

// pipe returns a pipe that is closed when the test ends.
func pipe(t *testing.T) (in, out *os.File) {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		out.Close()
	})
	return in, out
}

// commitPipe makes fd the command's descriptor 3.
func commitPipe(t *testing.T, fd *os.File, stdin io.Reader) func(*exec.Cmd) {
	t.Helper()
	return func(cmd *exec.Cmd) {
		cmd.Stdin = stdin
		cmd.ExtraFiles = []*os.File{fd}
	}
}

// TestDriverThatDiesAbortsThePut: end of file on the commit descriptor ends
// everything although the stream goes on, and its producer is told.
func TestDriverThatDiesAbortsThePut(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:x")
	in, out := pipe(t)
	said, say := pipe(t)
	p := store.StartWith(t, commitPipe(t, said, in), "s3put", "-z", "1000", "--commit-fd", "3", "bkt:x")
	in.Close()
	said.Close()
	gone := make(chan error)
	go func() {
		for {
			if _, err := out.Write(make([]byte, 1000)); err != nil {
				gone <- err
				return
			}
		}
	}()
	tooltest.Until(t, "some chunks", func() bool { return count(store, t, "x:", ":00000000000") > 3 })
	if address := p.Stdout(); !strings.HasPrefix(address, "bkt:x:") || !strings.HasSuffix(address, "\n") {
		t.Errorf("the address that is to be committed is not told at the start, but %q", address)
	}
	say.Close()
	if r := p.Wait(); r.Code != 6 || r.Err != "s3put: error: not committed: the commit descriptor ended without a commit\n" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if err := <-gone; !errors.Is(err, syscall.EPIPE) {
		t.Errorf("the producer is told %v", err)
	}
	if n := count(store, t, "x:", ""); n != 2 {
		t.Errorf("%d objects are there, not the two of the empty archive", n)
	}
	store.Reads(t, "bkt:x", nil)
}

// TestCommitMayComeBeforeTheStreamHasBeenRead: the driver waits for the
// producers only, and what they wrote may still be in the pipe.
func TestCommitMayComeBeforeTheStreamHasBeenRead(t *testing.T) {
	store := tooltest.File(t)
	in, out := pipe(t)
	said, say := pipe(t)
	io.WriteString(say, "commit\n")
	say.Close()
	p := store.StartWith(t, commitPipe(t, said, in), "s3put", "--create-bucket", "-z", "1000", "--commit-fd", "3", "bkt:x")
	in.Close()
	data := tooltest.Random(1, 300_000)
	out.Write(data)
	out.Close()
	if r := p.Wait(); r.Code != 0 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Err)
	}
	store.Reads(t, "bkt:x", data)
}

// TestNothingIsCommittedBeforeTheCommit: the stream's end alone is none.
func TestNothingIsCommittedBeforeTheCommit(t *testing.T) {
	store := tooltest.File(t)
	said, say := pipe(t)
	p := store.StartWith(t, commitPipe(t, said, strings.NewReader("text")), "s3put", "-v", "--create-bucket", "--commit-fd", "3", "bkt:x")
	said.Close()
	tooltest.Until(t, "the chunk", func() bool { return strings.Contains(p.Stderr(), "stored chunk 0") })
	io.WriteString(say, "commit\n") // and no end of file yet
	if n := count(store, t, "x:", "manifest"); n != 0 {
		t.Error("there is a manifest")
	}
	select {
	case <-p.Done():
		t.Fatalf("s3put has ended:\n%s", p.Wait().Err)
	default:
	}
	say.Close()
	if r := p.Wait(); r.Code != 0 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Err)
	}
	store.Reads(t, "bkt:x", []byte("text"))
}
