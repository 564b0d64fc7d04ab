package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of the running binary, from its build information.
// Built in a clone at a tag it is that tag, and between tags the tag before, the
// date and the commit, as go stamps them; `make release` checks that. Where go knows
// no version it is "devel" and the commit, if that is known.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "" || version == "(devel)" {
		version = "devel"
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				version += "-" + s.Value[:12]
			}
		}
	}
	return version
}

// VersionLine is what -V prints, without the line end.
func VersionLine(tool string) string {
	return fmt.Sprintf("%s %s (%s %s/%s)", tool, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
