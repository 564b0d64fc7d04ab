package tooltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// systemDirs is where a distribution puts programs. Servers are not in every PATH.
func systemDirs() []string {
	dirs := []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec"}
	servers, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // its only error is about the pattern
	slices.Reverse(servers)                                  // the newest first
	return append(dirs, servers...)
}

// Find returns the program that the distribution has, by its full path. Another
// version of it may come earlier in PATH, and would test something else than what
// people have. PATH is looked into only where the distribution is not Debian's
// kind, whose packages scripts/install-deps.sh installs, and not on CI.
func Find(name string) (path string, ok bool) {
	for _, dir := range systemDirs() {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, true
		}
	}
	if _, err := os.Stat("/etc/debian_version"); err == nil || os.Getenv("CI") != "" {
		return "", false
	}
	path, err := exec.LookPath(name)
	return path, err == nil
}

// System is Find for a program that the test cannot do without. It never skips.
func System(t testing.TB, name string) string {
	t.Helper()
	path, ok := Find(name)
	if !ok {
		t.Fatalf("%s is missing: scripts/install-deps.sh test installs it", name)
	}
	return path
}

// Path returns a PATH that begins with dirs and with the distribution's programs,
// but for Go, which has to be the one that runs the tests.
func Path(dirs ...string) string {
	if path, err := exec.LookPath("go"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	dirs = append(dirs, "/usr/sbin", "/usr/bin", "/sbin", "/bin")
	return strings.Join(append(dirs, os.Getenv("PATH")), string(filepath.ListSeparator))
}
