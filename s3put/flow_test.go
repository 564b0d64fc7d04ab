package main

import (
	"testing"

	"napback/internal/tooltest"
)

// TestFlow runs the tools together, on a directory and on real servers.
func TestFlow(t *testing.T) { tooltest.ScriptsEverywhere(t, "testdata/flow") }
