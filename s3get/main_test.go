package main

import (
	"os"
	"testing"

	"napback/internal/tooltest"
)

func TestMain(m *testing.M) { os.Exit(tooltest.Main(m)) }
