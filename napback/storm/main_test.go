//go:build linux

package storm

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// tools are ours that a host has.
var tools = []string{"napback", "s3put", "s3get", "s3ls", "s3rm", "pgpipe"}

// binDir is where TestMain has built the tools.
var binDir string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		return m.Run() // no test needs the tools: newWorld
	}
	dir, err := os.MkdirTemp("", "storm-tools-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binDir = dir
	overlay := filepath.Join(dir, "std")
	if err = os.Mkdir(overlay, 0o700); err == nil {
		err = buildTools(dir, overlay)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
