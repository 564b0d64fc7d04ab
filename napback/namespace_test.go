//go:build linux

package main

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"napback/internal/tooltest"
)

// inMountNamespace is a shell script with arguments in a mount namespace of its
// own. Its $1, the directory where it mounts things, is a private mount, so that
// nobody else sees them. To set that for / is not possible in a chroot whose root
// is no mount point. There the first mount, of $1 on itself, may be seen outside
// and is taken back.
func inMountNamespace(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	t.Cleanup(func() { _ = unix.Unmount(args[0], unix.MNT_DETACH) })
	script = `mount --make-rprivate / 2>/dev/null || true
		mount --bind "$1" "$1"; mount --make-rprivate "$1"; ` + script
	command := append(append(tooltest.Unshare(), "bash", "-ec", script, "x"), args...)
	return exec.CommandContext(t.Context(), command[0], command[1:]...)
}

// lendMachine lends the programs of this machine and ours ($2) to a small one
// whose root is to be $1. In a user namespace what is mounted below may not be
// left out.
const lendMachine = `mkdir -p "$1/tools"; mount --bind "$2" "$1/tools"
	for d in /usr /bin /lib /lib64 /dev; do [ ! -e "$d" ] || { mkdir -p "$1$d"; mount --bind "$d" "$1$d" 2>/dev/null || mount --rbind "$d" "$1$d"; }; done; `
