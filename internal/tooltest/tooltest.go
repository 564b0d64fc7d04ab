// Package tooltest runs the archive tools as a user would: as processes, with
// pipes, signals and exit statuses, on a directory or on a real server.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(tooltest.Main(m)) }
//
// which builds s3put, s3get, s3ls and s3rm from this tree and puts them in
// front of PATH for all tests of the package, with the distribution's programs
// behind them: see System. The package of a tool has Own instead.
package tooltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"napback/internal/storetest"
)

// hang bounds how long a process may take before the test gives up on it. It
// is no measure of how long it should take.
const hang = 5 * time.Minute

// Main builds the archive tools and others that the tests want, runs the tests
// and returns the exit status.
func Main(m *testing.M, others ...string) int {
	if status, ok := Measure(); ok {
		return status
	}
	unignoreHangups()
	dir, err := os.MkdirTemp("", "tools")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := Build(dir, append([]string{"s3put", "s3get", "s3ls", "s3rm"}, others...)...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("PATH", Path(dir))
	return m.Run()
}

// Store is where the tools put archives in a test.
type Store struct {
	Name string   // file, versitygw or minio
	Env  []string // what a tool needs to use it
	Dir  string   // the directory of a file store
}

// File returns a directory store in the test's temporary directory.
func File(t testing.TB) Store {
	t.Helper()
	dir := t.TempDir()
	return Store{"file", withEndpoint("file://" + dir), dir}
}

// Server returns the store of a server that is reached by way of endpoint:
// its own, or that of a proxy before it.
func Server(s *storetest.Server, endpoint string) Store {
	return Store{"server", append(storetest.Env(s), "AWS_ENDPOINT_URL="+endpoint), ""}
}

// withEndpoint is the environment of this process with no AWS setting of the
// user's own.
func withEndpoint(endpoint string) []string {
	return append(storetest.Env(&storetest.Server{}), "AWS_ENDPOINT_URL="+endpoint)
}

// Result is what a process left behind.
type Result struct {
	Out, Err string
	Code     int // exit status; 128 and the signal's number for one that was killed
}

// Process is a tool that runs.
type Process struct {
	t        testing.TB
	cmd      *exec.Cmd
	out, err locked
	done     chan struct{}
}

// Start starts a program. stdin may be nil for none, an *os.File, which the
// process then reads itself, or another reader, which is copied.
func (s Store) Start(t testing.TB, stdin io.Reader, name string, args ...string) *Process {
	t.Helper()
	return s.StartWith(t, func(cmd *exec.Cmd) { cmd.Stdin = stdin }, name, args...)
}

// StartWith is Start with a function that may change the command before.
func (s Store) StartWith(t testing.TB, change func(*exec.Cmd), name string, args ...string) *Process {
	t.Helper()
	p := &Process{t: t, cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Env = s.Env
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = 10 * time.Second
	change(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

// Signal sends a signal to the process.
func (p *Process) Signal(sig os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("signal %v to %s: %v", sig, p.cmd.Path, err)
	}
}

// Pid is the process's number.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Resident is TryResident of a process that still runs.
func (p *Process) Resident() int64 {
	p.t.Helper()
	resident, ok := p.TryResident()
	if !ok {
		p.t.Fatalf("%v has ended", p.cmd.Args)
	}
	return resident
}

// TryResident is the most memory that the process has had, in bytes, unless
// it has ended. What wait4 tells would count the test's own memory too, because a
// process begins its life with that of its parent.
func (p *Process) TryResident() (int64, bool) {
	p.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if err != nil || !ok {
		return 0, false
	}
	var kB int64
	if _, err := fmt.Sscanf(rest, "%d kB", &kB); err != nil {
		p.t.Fatalf("no VmHWM in %q", status)
	}
	return kB << 10, true
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Stderr is what the process has written to stderr so far.
func (p *Process) Stderr() string { return p.err.String() }

// Stdout is what the process has written to stdout so far.
func (p *Process) Stdout() string { return p.out.String() }

// Wait waits for the end of the process.
func (p *Process) Wait() Result {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(hang):
		p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.done
		p.t.Fatalf("%v hangs:\n%s", p.cmd.Args, p.err.String())
	}
	state := p.cmd.ProcessState
	r := Result{Out: p.out.String(), Err: p.err.String(), Code: state.ExitCode()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Code = 128 + int(status.Signal())
	}
	return r
}

// Run runs a program to its end.
func (s Store) Run(t testing.TB, stdin io.Reader, name string, args ...string) Result {
	t.Helper()
	return s.Start(t, stdin, name, args...).Wait()
}

// Must is Run for a program that has to succeed. It returns its stdout.
func (s Store) Must(t testing.TB, stdin io.Reader, name string, args ...string) string {
	t.Helper()
	r := s.Run(t, stdin, name, args...)
	if r.Code != 0 {
		t.Fatalf("%s %q: exit status %d\n%s", name, args, r.Code, r.Err)
	}
	return r.Out
}

// Put stores data under address in chunks of the given size and returns the
// address of the run.
func (s Store) Put(t testing.TB, address string, data []byte, chunk int) string {
	t.Helper()
	out := s.Must(t, bytes.NewReader(data), "s3put", "-z", fmt.Sprint(chunk), address)
	return strings.TrimSuffix(out, "\n")
}

// Reads fails the test unless address reads as data.
func (s Store) Reads(t testing.TB, address string, data []byte) {
	t.Helper()
	r := s.Run(t, nil, "s3get", address)
	if r.Code != 0 {
		t.Fatalf("s3get %s: exit status %d\n%s", address, r.Code, r.Err)
	}
	if r.Out != string(data) {
		t.Fatalf("s3get %s: %d bytes that are not the %d that were stored", address, len(r.Out), len(data))
	}
}

// Keys returns the keys of a file store's bucket, and anything else that lies
// there.
func (s Store) Keys(t testing.TB, bucket string) []string {
	t.Helper()
	var keys []string
	root := filepath.Join(s.Dir, bucket)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			key, _ := filepath.Rel(root, path)
			keys = append(keys, filepath.ToSlash(key))
		}
		return err
	})
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return keys
}

// Until waits for a condition that another process brings about.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(hang); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited for %s", what)
		}
	}
}

// Random returns n bytes, the same ones for the same seed.
func Random(seed byte, n int) []byte {
	data := make([]byte, n)
	x := uint64(seed) + 0x9e3779b97f4a7c15
	for i := range data {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		data[i] = byte(x >> 32)
	}
	return data
}

// locked is written by the process and read by the test.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *locked) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *locked) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
