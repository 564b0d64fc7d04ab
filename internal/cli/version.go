package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of the running binary, from its build information:
// the module's version, or "devel" and the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
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
