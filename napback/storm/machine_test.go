//go:build linux

package storm

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// machineFile lies beside the tools of a host and tells what they take for the
// machine, in lines KEY=VALUE: clock (seconds that its clock is ahead), name,
// and machine-id (a file).
const machineFile = "machine"

// The changes of the standard library. A clock that the kernel keeps cannot be
// changed for some processes only, and what the environment says may not reach
// all of them; but a build can replace any file that goes into it.
const (
	clockCode = `package time

import "syscall"

var machine = func() map[string]string {
	values := map[string]string{}
	path := make([]byte, 4096)
	n, err := syscall.Readlink("/proc/self/exe", path)
	if err != nil {
		return values
	}
	for n > 0 && path[n-1] != '/' {
		n--
	}
	fd, err := syscall.Open(string(path[:n])+"` + machineFile + `", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return values
	}
	defer syscall.Close(fd)
	text := make([]byte, 4096)
	if n, _ = syscall.Read(fd, text); n < 0 {
		n = 0
	}
	key, start := "", 0
	for i, c := range text[:n] {
		switch {
		case c == '=' && key == "":
			key, start = string(text[start:i]), i+1
		case c == '\n':
			values[key] = string(text[start:i])
			key, start = "", i+1
		}
	}
	return values
}()

// Ahead is how many seconds the machine's clock is ahead.
var Ahead = func() (n int64) {
	text := machine["clock"]
	for _, c := range text {
		if c != '-' {
			n = 10*n + int64(c-'0')
		}
	}
	if text != "" && text[0] == '-' {
		n = -n
	}
	return n
}()

func Machine(key string) string { return machine[key] }

// Objects tells that the program stores objects, or looks at them.
var Objects = func() bool {
	path := make([]byte, 4096)
	n, _ := syscall.Readlink("/proc/self/exe", path)
	for i := 0; i+2 < n; i++ {
		if path[i] == 's' && path[i+1] == '3' && (path[i-1] == '/' || path[i-1] == '.') {
			return true
		}
	}
	return false
}()
`
	machineCode = `package os

import (
	"syscall"
	"time"
)

func machineHost() string { return time.Machine("name") }

func machineName(name string) string {
	if id := time.Machine("machine-id"); id != "" && name == "/etc/machine-id" {
		return id
	}
	return name
}

// recent tells that a file has a time that the kernel gave it.
func recent(at int64) bool {
	now := time.Now().Unix() - time.Ahead
	return now-3600 < at && at < now+3600
}

// machineTime is when the machine's clock says that a file was written: one that is
// still written to has no stamp yet.
func machineTime(t time.Time) time.Time {
	if time.Ahead != 0 && time.Objects && recent(t.Unix()) {
		return time.Unix(t.Unix()+time.Ahead, int64(t.Nanosecond()))
	}
	return t
}

// stamp gives a file that was written the time of the machine's clock.
func (f *File) stamp() {
	if f == nil || f.file == nil || time.Ahead == 0 {
		return
	}
	fd := f.pfd.Sysfd
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	var st syscall.Stat_t
	if errno != 0 || flags&syscall.O_ACCMODE == syscall.O_RDONLY || syscall.Fstat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return
	}
	at := st.Mtim.Sec
	if !recent(at) {
		return
	}
	when := syscall.Timeval{Sec: at + time.Ahead, Usec: st.Mtim.Nsec / 1000}
	_ = syscall.Futimes(fd, []syscall.Timeval{when, when})
}
`
)

// patches are the lines behind which the standard library calls that code.
var patches = []struct{ file, after, line string }{
	{"time/time.go", "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", "\tsec += Ahead\n"},
	{"os/file.go", "func OpenFile(name string, flag int, perm FileMode) (*File, error) {\n", "\tname = machineName(name)\n"},
	{"os/file_posix.go", "func (f *File) Close() error {\n", "\tf.stamp()\n"},
	{"os/stat_linux.go", "\tfs.modTime = time.Unix(fs.sys.Mtim.Unix())\n", "\tfs.modTime = machineTime(fs.modTime)\n"},
	{"os/sys_linux.go", "func hostname() (name string, err error) {\n",
		"\tif name = machineHost(); name != \"\" {\n\t\treturn name, nil\n\t}\n"},
}

// buildTools builds the tools into dir. The standard library's new files lie in
// overlay, whose name should stay the same, so that Go's cache knows them.
func buildTools(dir, overlay string) error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("where Go is: %w", err)
	}
	root := filepath.Join(strings.TrimSpace(string(out)), "src")
	replace := map[string]string{}
	put := func(name, text string) error {
		file := filepath.Join(overlay, strings.ReplaceAll(name, "/", "-"))
		replace[filepath.Join(root, name)] = file
		return os.WriteFile(file, []byte(text), 0o600)
	}
	if err := put("time/zmachine.go", clockCode); err != nil {
		return err
	}
	if err := put("os/zmachine_linux.go", machineCode); err != nil {
		return err
	}
	for _, p := range patches {
		text, err := os.ReadFile(filepath.Join(root, p.file))
		if err != nil {
			return err
		}
		before, after, ok := strings.Cut(string(text), p.after)
		if !ok {
			return fmt.Errorf("this Go's %s has no %q: adapt the storm to it", p.file, p.after)
		}
		if err := put(p.file, before+p.after+p.line+after); err != nil {
			return err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	list := filepath.Join(overlay, "overlay.json")
	if err := os.WriteFile(list, data, 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-overlay", list, "-o", dir+string(filepath.Separator))
	for _, tool := range tools {
		build.Args = append(build.Args, "napback/"+tool)
	}
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the tools: %w\n%s", err, out)
	}
	return nil
}
