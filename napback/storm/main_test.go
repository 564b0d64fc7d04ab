//go:build linux

package storm

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// tools are ours that a host has.
var tools = []string{"napback", "s3put", "s3get", "s3ls", "s3rm", "pgpipe"}

// built is where the tools are. The first test that asks builds them: with a clock
// that a test can set, so that no test's binary can be one of them.
var built func() (dir string, err error)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "storm-tools-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = sync.OnceValues(func() (string, error) {
		overlay := filepath.Join(dir, "std")
		if err := os.Mkdir(overlay, 0o700); err != nil {
			return "", err
		}
		return dir, buildTools(dir, overlay)
	})
	return m.Run()
}
