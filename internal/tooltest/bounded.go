package tooltest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Bound is the most memory that a tool may take, whatever it is fed, in bytes.
const Bound = 256 << 20

// RunBounded runs a program to its end and fails the test if it took more
// memory than Bound. Where the system lets the test make a memory control group,
// the program is inside one besides, so that it dies rather than the machine.
func (s Store) RunBounded(t testing.TB, stdin io.Reader, name string, args ...string) Result {
	t.Helper()
	name = Plain(t, name)
	if group, files := memoryGroup(t); group != "" {
		defer os.Remove(group)
		inside := append([]string{"-c", `echo $$ >"$0" && exec "$@"`, files, name}, args...)
		name, args = "sh", inside
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	took, report, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer took.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := s.StartWith(t, func(cmd *exec.Cmd) {
		cmd.Stdin, cmd.ExtraFiles = stdin, []*os.File{report}
		cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], measuring+"=1")
	}, self, append([]string{path}, args...)...)
	report.Close()
	r := p.Wait()
	var bytes int64
	if _, err := fmt.Fscan(took, &bytes); err != nil {
		t.Fatalf("memory of %s: %v", name, err)
	}
	if bytes > Bound {
		t.Errorf("%s %q took %d MiB of memory, more than %d", name, args, bytes>>20, Bound>>20)
	}
	t.Logf("%s took %d MiB of memory", name, bytes>>20)
	return r
}

// measuring, in the environment of a test's binary, makes it measure a program.
const measuring = "TOOLTEST_MEASURE"

// Measure runs the program of the command line and tells on descriptor 3 the most
// memory that it, or a process that it waited for, has had; but only in the
// environment that RunBounded makes, else ok is false. It is for the beginning of
// TestMain. Linux counts what a process had before exec, which is its parent's
// memory: so the parent must be small, and not a test that has done its work.
func Measure() (status int, ok bool) {
	if os.Getenv(measuring) == "" || len(os.Args) < 2 {
		return 0, false
	}
	os.Unsetenv(measuring)
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 127, true
	}
	var bytes int64
	if usage, known := cmd.ProcessState.SysUsage().(*syscall.Rusage); known {
		bytes = maxResident(usage)
	}
	fmt.Fprintln(os.NewFile(3, "report"), bytes)
	if wait, known := cmd.ProcessState.Sys().(syscall.WaitStatus); known && wait.Signaled() {
		return 128 + int(wait.Signal()), true
	}
	return cmd.ProcessState.ExitCode(), true
}

// memoryGroup makes a control group of 256 MiB and returns its directory and
// the file to which a process writes itself; or nothing, where that is not
// possible.
func memoryGroup(t testing.TB) (group, procs string) {
	t.Helper()
	for at, limit := range map[string]string{
		"/sys/fs/cgroup/memory": "memory.limit_in_bytes", // version 1
		"/sys/fs/cgroup":        "memory.max",            // version 2
	} {
		group := filepath.Join(at, fmt.Sprintf("napback-test-%d", os.Getpid()))
		if _, err := os.Stat(filepath.Join(at, "cgroup.procs")); err != nil || os.Mkdir(group, 0o755) != nil {
			continue
		}
		procs := filepath.Join(group, "cgroup.procs")
		err := os.WriteFile(filepath.Join(group, limit), []byte(fmt.Sprint(Bound)), 0o644)
		if err == nil && joins(procs) {
			t.Logf("inside the control group %s", group)
			return group, procs
		}
		os.Remove(group)
	}
	return "", ""
}

// joins tells whether a process can enter a control group.
func joins(procs string) bool {
	r, err := os.ReadFile(procs)
	return err == nil && strings.TrimSpace(string(r)) == ""
}
