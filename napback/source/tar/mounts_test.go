//go:build linux

package tar

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheTableOfMountsIsRead(t *testing.T) {
	const info = `23 22 8:2 / /home rw,nosuid shared:1 - ext4 /dev/sda2 rw
24 23 8:3 / /home/a\040b rw - ext4 /dev/sdb1 rw
25 23 0:40 /sub /home/nfs rw - nfs4 server:/ex\040port rw
broken line
x 22 8:4 / /homes rw - ext4 /dev/sda4 rw
`
	got := readMounts(strings.NewReader(info))
	want := []mountPoint{{23, "/home", "ext4", "/dev/sda2"}, {24, "/home/a b", "ext4", "/dev/sdb1"}, {25, "/home/nfs", "nfs4", "server:/ex port"}}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(mountPoint{})); d != "" {
		t.Error(d)
	}
}
