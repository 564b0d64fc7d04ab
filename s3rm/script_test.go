package main

import (
	"testing"

	"napback/internal/tooltest"
)

// TestScript checks what can be seen of s3rm on a directory store.
func TestScript(t *testing.T) { tooltest.Scripts(t, "testdata/script") }
