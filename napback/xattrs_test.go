//go:build linux

package main

import (
	"path/filepath"
	"testing"
)

// TestAnAttributeThatWasRemovedStaysRemoved: of a directory, after an increment.
func TestAnAttributeThatWasRemovedStaysRemoved(t *testing.T) {
	s := newSite(t)
	s.shell(`mkdir -p d/e; echo 1 >d/e/f; for i in . d d/e; do setfattr -n user.goes -v 1 $i; setfattr -n user.stays -v 2 $i; done`)
	s.napback(0, day(0))
	s.shell(`for i in . d d/e; do setfattr -x user.goes $i; setfattr -n user.new -v 3 $i; done`)
	s.napback(0, day(1))
	want := tree(t, s.source)
	to := filepath.Join(s.dir, "to")
	s.cmd(0, "restore", "--to", to, "job")
	s.mustEqual("all", want, filepath.Join(to, s.source))
	to = filepath.Join(s.dir, "part")
	s.cmd(0, "restore", "--to", to, "job", "d")
	s.mustEqual("a path", tree(t, filepath.Join(s.source, "d")), filepath.Join(to, s.source, "d"))
	s.shell(`setfattr -n user.later -v 4 d; setfattr -n user.goes -v 1 d`)
	s.cmd(0, "restore", "--in-place", "-y", "job")
	s.mustEqual("in place", want, s.source)
}
