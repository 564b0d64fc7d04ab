//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMountsBelowASource(t *testing.T) {
	const info = `22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 8:2 / /home rw,nosuid shared:1 - ext4 /dev/sda2 rw
24 23 8:3 / /home/a\040b rw - ext4 /dev/sdb1 rw
25 23 0:40 / /home/nfs rw - nfs4 server:/export rw
26 22 8:4 / /homes rw - ext4 /dev/sda4 rw
27 23 8:5 / /home/a\040b rw - ext4 /dev/sdc1 rw
broken line
`
	id := func(path string) string { return "id of " + path }
	got := readMounts(strings.NewReader(info), "/home/x", id)
	if want := map[string]string{".": "ext4 / id of /home"}; !cmp.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	got = readMounts(strings.NewReader(info), "/home", id)
	want := map[string]string{".": "ext4 / id of /home", `/home/a\040b`: "ext4 / id of /home/a b", "/home/nfs": "nfs4 / server:/export"}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestOnlyWhatIsBelowAChangedMountIsStale(t *testing.T) {
	then := map[string]string{".": "a", `/home/x\040y`: "1", "/home/gone": "2", "/home/same": "3"}
	now := map[string]string{".": "a", `/home/x\040y`: "other", "/home/new": "4", "/home/same": "3"}
	paths, whole := changedMounts(then, now)
	if want := []string{"/home/gone", "/home/new", `/home/x\040y`}; whole || !cmp.Equal(paths, want) {
		t.Errorf("changed %q, %v", paths, whole)
	}
	stale := below(paths)
	for name, want := range map[string]bool{"home": false, "home/same": false, "home/x y": true, "./home/x y/deep": true, "home/x yz": false, "home/new": true} {
		if stale(name) != want {
			t.Errorf("%s: stale %v", name, !want)
		}
	}
	if _, whole := changedMounts(then, map[string]string{".": "b"}); !whole {
		t.Error("another file system at the source went unnoticed")
	}
	if paths, whole := changedMounts(nil, now); paths != nil || whole {
		t.Error("nothing known was taken for changed")
	}
}
