package storetest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gofrs/flock"
)

// Tool returns the path of a development tool that tools/go.mod pins, built
// into build/tools of the repository. Go's own cache makes a build that
// changes nothing quick; a lock keeps test processes that run side by side
// from building into one another.
func Tool(t testing.TB, name, pkg string) string {
	t.Helper()
	NotQuick(t, "builds "+name)
	root := Root(t)
	dir := filepath.Join(root, "build", "tools")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatalf("directory of the tools: %v", err)
	}
	lock := flock.New(filepath.Join(dir, ".lock"))
	if err := lock.Lock(); err != nil {
		t.Fatalf("lock of %s: %v", dir, err)
	}
	defer lock.Close()
	bin := filepath.Join(dir, name)
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	if upToDate(root, bin) {
		return bin
	}
	// Renamed at the end, so that a build that is killed leaves no half binary.
	cmd := exec.CommandContext(context.Background(), "go", "build", "-gcflags=all=-dwarf=false", "-ldflags=-s -w", "-o", bin+".new", pkg)
	cmd.Dir = filepath.Join(root, "tools")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=", "GOARCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	if err := os.Rename(bin+".new", bin); err != nil {
		t.Fatalf("build %s: %v", name, err)
	}
	return bin
}

// upToDate compares a binary's age with that of the file that pins its version.
func upToDate(root, bin string) bool {
	built, err := os.Stat(bin)
	if err != nil {
		return false
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		pinned, err := os.Stat(filepath.Join(root, "tools", name))
		if err != nil || pinned.ModTime().After(built.ModTime()) {
			return false
		}
	}
	return true
}

// Root returns the root of the repository: the directory above the test's
// that holds tools/go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "tools", "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no directory above the test holds tools/go.mod")
		}
		dir = parent
	}
}
