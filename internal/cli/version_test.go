package cli

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsTheTagOrTheCommit(t *testing.T) {
	revision := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}}
	for _, c := range []struct {
		module   string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", revision, "v1.2.3"},
		{"v1.2.4-0.20261121210329-511d53576a1d+dirty", revision, "v1.2.4-0.20261121210329-511d53576a1d+dirty"},
		{"(devel)", revision, "devel-0123456789ab"},
		{"", revision, "devel-0123456789ab"},
		{"(devel)", nil, "devel"},
		{"(devel)", []debug.BuildSetting{{Key: "vcs.revision", Value: "short"}}, "devel"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Path: "napback", Version: c.module}, Settings: c.settings}
		if got := versionOf(info); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.module, c.settings, got, c.want)
		}
	}
}
