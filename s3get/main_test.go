package main

import (
	"testing"

	"napback/internal/tooltest"
)

func TestMain(m *testing.M) { tooltest.Own(m, "s3get", main, "s3put", "s3ls", "s3rm") }
