package tooltest

import (
	"fmt"
	"io"
	"os"
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
	if group, files := memoryGroup(t); group != "" {
		defer os.Remove(group)
		inside := append([]string{"-c", `echo $$ >"$0" && exec "$@"`, files, name}, args...)
		name, args = "sh", inside
	}
	p := s.Start(t, stdin, name, args...)
	r := p.Wait()
	// Linux counts what the process had before exec too, which is the test's
	// own memory: the figure can only be too large.
	if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		if took := maxResident(usage); took > Bound {
			t.Errorf("%s %q took %d MiB of memory, more than %d", name, args, took>>20, Bound>>20)
		} else {
			t.Logf("%s took %d MiB of memory", name, took>>20)
		}
	}
	return r
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
