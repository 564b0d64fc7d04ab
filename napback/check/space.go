package check

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"napback/internal/cli"
	"napback/napback/jobs"
	"napback/napback/tools"
)

// little is below which free space is doubtful whatever it is for, in bytes.
const little = 100_000_000

// need is what a directory is written for.
type need struct {
	what, dir string
	bytes     int64
	of        string // what takes that much
}

// space checks that there is room where something is written.
func (s *survey) space(ctx context.Context) {
	for _, n := range s.needs() {
		free, err := within(ctx, s.Ready, short, func(context.Context) (int64, error) {
			n.grow()
			return freeSpace(n.dir)
		})
		what := fmt.Sprintf("space for %s in %s: %s free", n.what, n.dir, cli.FormatSize(free))
		switch {
		case err != nil: // what is not there was reported, or this system does not tell
		case free < n.bytes:
			s.Doubt(what, fmt.Sprintf("%s takes %s", n.of, cli.FormatSize(n.bytes)))
		case free < little:
			s.Doubt(what, "that is little")
		default:
			s.Result(what, nil)
		}
	}
}

// needs are the directories that are written to, each once for a purpose.
func (s *survey) needs() (all []*need) {
	add := func(what, dir string, t *jobs.Target) {
		var n *need
		for _, other := range all {
			if other.what == what && other.dir == dir {
				n = other
			}
		}
		if n == nil {
			n = &need{what: what, dir: dir}
			all = append(all, n)
		}
		if t != nil && s.fulls[t.Name].Bytes > n.bytes {
			n.bytes, n.of = s.fulls[t.Name].Bytes, "the newest FULL of "+t.Name
		}
	}
	for i := range s.all {
		t := &s.all[i]
		add("DiffDir", t.Settings.DiffDir, nil)
		if t.Settings.UseTempFile {
			add("TempDir", t.Settings.TempDir, t)
		}
		if dir, ok := tools.Open(s.Host.Kit, t.Settings, nil).Directory(); ok {
			add("the bucket", filepath.Join(dir, t.Settings.Bucket), t)
		}
	}
	for _, c := range s.configs {
		if c.Settings.LogFile != "" {
			add("LogFile", filepath.Dir(c.Settings.LogFile), nil)
		}
	}
	return all
}

// grow makes the need of a DiffDir that of its largest file: a snapshot stays until
// the next one is whole.
func (n *need) grow() {
	if n.what != "DiffDir" {
		return
	}
	entries, err := os.ReadDir(n.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.Size() > n.bytes {
			n.bytes, n.of = info.Size(), "its largest file, of which a second is made,"
		}
	}
}
