//go:build linux

package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// host has files of its own, a copy of /etc among them, and borrows programs
// and /tmp of this machine. So what is documented runs in it as it stands.
type host struct {
	t     *testing.T
	root  string
	tools string // where our tools are, or an empty directory
	env   []string
}

// newHost makes a host as it is after Debian was installed. env adds to its
// environment.
func newHost(t *testing.T, env ...string) *host {
	t.Helper()
	tooltest.NeedsRoot(t, "mounts what a database server reads")
	napback, err := exec.LookPath("napback")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, root: t.TempDir(), tools: filepath.Dir(napback), env: append(env, "HOME=/root", "PATH=/root/bin:/tools:/usr/sbin:/usr/bin:/sbin:/bin")}
	t.Cleanup(func() { _ = unix.Unmount(h.root, unix.MNT_DETACH) })
	for _, dir := range []string{"etc", "home", "root/bin", "tmp", "var/lib", "tools"} {
		if err := os.MkdirAll(filepath.Join(h.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", "/etc/.", filepath.Join(h.root, "etc")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// This machine may have what a new one has not.
	if err := os.RemoveAll(filepath.Join(h.root, "etc/napback")); err != nil {
		t.Fatal(err)
	}
	// The aws of Debian 12 does not know the variable for an endpoint.
	h.write("/root/bin/aws", "#!/bin/sh\nexec "+tooltest.System(t, "aws")+" --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n")
	h.write("/root/.variables", "")
	return h
}

// enter makes a host of the directory $1 with the tools of $2, and runs the
// lines $3 in it. As long as $1 is no private mount of its own, nothing is mounted
// below it: it is removed in the end.
const enter = `mount --make-rprivate / 2>/dev/null || true
mount --bind "$1" "$1"; mount --make-rprivate "$1"
for d in /usr /bin /sbin /lib /lib64 /dev /proc /tmp; do [ ! -e "$d" ] || { mkdir -p "$1$d"; mount --bind "$d" "$1$d"; }; done
mount --bind "$2" "$1/tools"
exec chroot "$1" bash -euo pipefail -c "cd; . ~/.variables; $3
export -p >~/.variables"`

// shell runs lines of one session of root's, and returns what they print.
func (h *host) shell(lines string) string {
	h.t.Helper()
	command := append(tooltest.Unshare(), "bash", "-euc", enter, "enter", h.root, h.tools, lines)
	cmd := exec.CommandContext(h.t.Context(), command[0], command[1:]...)
	cmd.Env = h.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s\n%v: %s", lines, err, out)
	}
	return string(out)
}

func (h *host) write(path, content string) {
	h.t.Helper()
	path = filepath.Join(h.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) read(path string) string {
	h.t.Helper()
	data, err := os.ReadFile(filepath.Join(h.root, path))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// tree is the files below a directory with their contents.
func (h *host) tree(dir string) string {
	h.t.Helper()
	var all strings.Builder
	root := filepath.Join(h.root, dir)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		all.WriteString(strings.TrimPrefix(path, root) + ": " + string(data) + "\n")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all.String()
}
